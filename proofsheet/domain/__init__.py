"""The nouns of Proofsheet: frozen, slotted, keyword-only dataclasses; standard library only."""
