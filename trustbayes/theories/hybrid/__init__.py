"""Level-k thinking with lying aversion or trust."""
