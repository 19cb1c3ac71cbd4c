"""What the whole numbers of an exercise may become, where they are what it is about. Others are left as they are."""
WHOLE_NUMBERS = {}
