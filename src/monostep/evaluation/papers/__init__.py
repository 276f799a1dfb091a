"""The paper's tables: what was published, and the same rows run here."""
