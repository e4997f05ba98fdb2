"""Students that learn from a teacher: knowledge distillation from NRSfM (KD)."""
