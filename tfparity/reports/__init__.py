"""Rows become tables (pandas), tables become pictures (matplotlib) and pages (jinja2). Knows runs, never TensorFlow."""
