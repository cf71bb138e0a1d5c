"""How good a model is on products that it was not trained on."""
