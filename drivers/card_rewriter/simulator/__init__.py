"""A card rewriter on a pseudo-terminal, with cards that keep chip and print. Not shipped on terminals."""

from drivers.card_rewriter.simulator.rewriter import RewriterSimulator

__all__ = ["RewriterSimulator"]
