"""What all studies share: runs that are kept, results that show themselves, intervals, costs, and exact questions."""
