"""`python -m resnet_sizes`: the same as `resnet-sizes`."""

from resnet_sizes.cli.app import main

main()
