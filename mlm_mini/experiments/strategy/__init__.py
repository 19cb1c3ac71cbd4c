"""What to mask: strategies that look before they hide, beside uniform masks."""
