"""Networks that read pictures: backbones and integral regression."""
