"""Where images come from: CIFAR-10, a folder of images, scikit-learn's digits."""
