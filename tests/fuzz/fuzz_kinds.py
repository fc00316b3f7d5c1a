"""All kinds of inputs."""

from fuzz_archives import TarArchive, ZipArchive
from fuzz_checkpoints import Checkpoint
from fuzz_images import JpegImage, PngImage
from fuzz_json import RecordJson
from fuzz_pickles import WeightsFile
from fuzz_results import RunResults
from fuzz_tensors import TensorFile
from fuzz_yaml import ArticleYaml, ConfigurationYaml

KINDS = [
    ConfigurationYaml,
    ArticleYaml,
    RecordJson,
    TensorFile,
    TarArchive,
    ZipArchive,
    PngImage,
    JpegImage,
    WeightsFile,
    Checkpoint,
    RunResults,
]
