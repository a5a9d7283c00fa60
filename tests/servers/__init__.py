"""Local servers that speak the model vendors' wire formats, told by a script what to answer."""
