"""Acme's plug-ins for mapkeeper: the connector ``acme`` and the classifier ``acme``."""
