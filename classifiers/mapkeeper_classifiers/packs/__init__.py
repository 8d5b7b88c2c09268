"""The rule packs: one TOML file for each family of categories, with the examples that prove them."""
