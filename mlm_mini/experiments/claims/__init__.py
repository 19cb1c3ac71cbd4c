"""The claims of the article: what is measured for each, and the rule that makes a verdict of it.

One file for each topic; `claim.py` has the rules, `all_claims.py` lists and measures them.
"""
