"""Response rules: from a theory's answer to choices."""
