"""What recognizes personal data in the batches of an asset: the engine, and the judgement of what it counted."""

from mapkeeper.classify.classification import Classification, Counted, merged
from mapkeeper.classify.engine import Engine
from mapkeeper.classify.judgement import Judgement

__all__ = ["Classification", "Counted", "Engine", "Judgement", "merged"]
