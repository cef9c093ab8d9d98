"""Primeur: the AI service platform an organisation runs itself."""
