"""Fields that an administrator adds to a model; see docs/custom-fields.md."""
