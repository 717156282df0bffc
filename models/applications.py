"""The table of keras.applications: how each family is fed, and what its pretraining cost.

Imports no framework. Names of weights files are those under which Keras 3.15 keeps them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from urllib.parse import urljoin

# What reaches a base, of RGB from 0 to 255: "caffe" BGR less ImageNet's means; "tf" -1 to 1;
# "torch" 0 to 1, less the means, over the deviations; "none" as it is, the base does the rest.
Mode = Literal["caffe", "tf", "torch", "none"]

DATASETS = {
    "ImageNet-1k": 1_281_167,  # Russakovsky et al. 2015, arXiv:1409.0575, table 2
    "ImageNet-21k, then 1k": 14_197_122,  # the first: Deng et al. 2009, image-net.org
}
PUBLISHED = "https://storage.googleapis.com/tensorflow/keras-applications/"
UNKNOWN = "Russakovsky et al. 2015, arXiv:1409.0575; the number of epochs is not published"
USUAL_FILE = "{}_weights_tf_dim_ordering_tf_kernels_notop.h5"


@dataclass(frozen=True)
class Family:
    """Applications that are alike but for their size.

    `members` are functions of keras.applications, each with the stem of its weights file, which
    goes into `file` and `address`: the folder below `PUBLISHED` that holds the file, or the
    file itself where it has another name there. `epochs` are as published in `source`, None
    where nobody says. `size` is the side of the images in pixels unless a user gives another, at
    least `smallest`: below the published size, since most of what is compared here is small
    images on small machines.
    """

    name: str
    mode: Mode
    members: tuple[tuple[str, str], ...]
    address: str
    source: str = UNKNOWN
    epochs: int | None = None
    file: str = USUAL_FILE
    size: int = 160
    smallest: int = 32
    dataset: str = "ImageNet-1k"


@dataclass(frozen=True)
class Application:
    """One application: `function` of keras.applications, its weights `file` and its family.

    The file is published at `address`.
    """

    function: str
    file: str
    address: str
    family: Family

    @property
    def name(self) -> str:
        """What a user types."""
        return self.function.lower()


CONVNEXT = "Liu et al. 2022, arXiv:2201.03545, section 3"

FAMILIES = (
    Family(
        "VGG",
        "caffe",
        (("VGG16", "vgg16"), ("VGG19", "vgg19")),
        "{}/",
        "Simonyan & Zisserman 2015, arXiv:1409.1556, section 3.1",
        epochs=74,
        size=64,
    ),
    Family(
        "MobileNet",
        "tf",
        (("MobileNet", "mobilenet"),),
        "mobilenet/",
        file="{}_{alpha}_224_tf_no_top.h5",
    ),
    Family(
        "MobileNetV2",
        "tf",
        (("MobileNetV2", "mobilenet_v2"),),
        "mobilenet_v2/",
        file="{}_weights_tf_dim_ordering_tf_kernels_1.0_224_no_top.h5",
    ),
    Family(
        "MobileNetV3",
        "none",
        (("MobileNetV3Small", "small"), ("MobileNetV3Large", "large")),
        "mobilenet_v3/",
        file="weights_mobilenet_v3_{}_224_1.0_float_no_top_v2.h5",
    ),
    Family(
        "ResNet",
        "caffe",
        (("ResNet50", "resnet50"), ("ResNet101", "resnet101"), ("ResNet152", "resnet152")),
        "resnet/",
        "He et al. 2015, arXiv:1512.03385, section 3.4: 600,000 steps of 256 images",
        epochs=120,
    ),
    Family(
        "ResNetV2",
        "tf",
        (
            ("ResNet50V2", "resnet50v2"),
            ("ResNet101V2", "resnet101v2"),
            ("ResNet152V2", "resnet152v2"),
        ),
        "resnet/",
    ),
    Family(
        "DenseNet",
        "torch",
        (
            ("DenseNet121", "densenet121"),
            ("DenseNet169", "densenet169"),
            ("DenseNet201", "densenet201"),
        ),
        "densenet/",
        "Huang et al. 2017, arXiv:1608.06993, section 4.2",
        epochs=90,
    ),
    Family(
        "Inception V3",
        "tf",
        (("InceptionV3", "inception_v3"),),
        "inception_v3/",
        "Szegedy et al. 2015, arXiv:1512.00567, section 8",
        epochs=100,
        smallest=75,
    ),
    Family(
        "Inception-ResNet V2",
        "tf",
        (("InceptionResNetV2", "inception_resnet_v2"),),
        "inception_resnet_v2/",
        smallest=75,
    ),
    Family("Xception", "tf", (("Xception", "xception"),), "xception/", smallest=71),
    Family(
        "NASNet",
        "tf",
        (("NASNetMobile", "mobile"), ("NASNetLarge", "large")),
        "nasnet/NASNet-{}-no-top.h5",
        file="nasnet_{}_no_top.h5",
    ),
    Family(
        "EfficientNet",
        "none",
        tuple((f"EfficientNetB{n}", f"efficientnetb{n}") for n in range(8)),
        "https://storage.googleapis.com/keras-applications/",
        file="{}_notop.h5",
    ),
    Family(
        "EfficientNetV2",
        "none",
        tuple((f"EfficientNetV2{n}", n.lower()) for n in ("B0", "B1", "B2", "B3", "S", "M", "L")),
        "efficientnet_v2/",
        "Tan & Le 2021, arXiv:2104.00298, section 5.1",
        epochs=350,
        file="efficientnetv2-{}_notop.h5",
    ),
    Family(
        "ConvNeXt",
        "none",
        (("ConvNeXtTiny", "tiny"), ("ConvNeXtSmall", "small")),
        "convnext/",
        CONVNEXT,
        epochs=300,
        file="convnext_{}_notop.h5",
    ),
    Family(
        "ConvNeXt",
        "none",
        (("ConvNeXtBase", "base"), ("ConvNeXtLarge", "large"), ("ConvNeXtXLarge", "xlarge")),
        "convnext/",
        f"{CONVNEXT}: 90 epochs, then 30 of the smaller set",
        epochs=90,
        file="convnext_{}_notop.h5",
        dataset="ImageNet-21k, then 1k",
    ),
)


def _address(family: Family) -> str:
    """The whole address of a family's files: a folder of Keras's, unless said otherwise."""
    file = "" if family.address.endswith(".h5") else family.file
    return urljoin(PUBLISHED, family.address) + file


APPLICATIONS = {
    row.name: row
    for row in (
        # What is not known yet, MobileNet's alpha, stays in braces.
        Application(
            function,
            family.file.replace("{}", stem),
            _address(family).replace("{}", stem),
            family,
        )
        for family in FAMILIES
        for function, stem in family.members
    )
}
