"""The mapping template: how a platform with a management plane is spoken to without code."""
