"""What the documents lay down, as lists: one file for each document and part."""
