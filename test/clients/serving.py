"""Asks a server by the clients of Triton and KServe, and compares what they get. See serving.sh."""

import asyncio
import sys
from urllib.parse import urlparse

import kserve
import numpy as np
import tritonclient.http as triton
from kserve.inference_client import InferenceRESTClient, RESTConfig

url, model = sys.argv[1:]
client = triton.InferenceServerClient(urlparse(url).netloc, concurrency=8)
assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(model)
shape = client.get_model_metadata(model)["inputs"][0]["shape"]
images = np.random.default_rng(1).integers(0, 256, (5, *shape[1:]), dtype=np.uint8)


def by_triton(binary, **options):
    tensor = triton.InferInput("images", images.shape, "UINT8")
    tensor.set_data_from_numpy(images, binary_data=binary)
    output = triton.InferRequestedOutput("probabilities", binary_data=binary)
    return client.infer(model, [tensor], outputs=[output], **options).as_numpy("probabilities")


expected = by_triton(True)
assert np.allclose(expected.sum(1), 1)
assert np.array_equal(expected, by_triton(False))
assert np.array_equal(expected, by_triton(True, request_compression_algorithm="gzip"))
tensor = triton.InferInput("images", images.shape, "UINT8")
tensor.set_data_from_numpy(images)
top = client.infer(model, [tensor], outputs=[triton.InferRequestedOutput("probabilities", class_count=1)])
assert [int(text.split(b":")[1]) for text in top.as_numpy("probabilities")[:, 0]] == list(expected.argmax(1))
for answer in [client.async_infer(model, [tensor]) for _ in range(50)]:
    assert np.allclose(answer.get_result().as_numpy("probabilities"), expected, atol=1e-5)
assert client.get_inference_statistics(model)["model_stats"][0]["inference_count"] >= 265
try:
    client.infer("none", [tensor])
    raise AssertionError("a model that is not there answers")
except triton.InferenceServerException as error:
    assert "there is no model none" in str(error)
print("tritonclient: the same numbers in every form")


async def by_kserve():
    rest = InferenceRESTClient(RESTConfig(protocol="v2"))
    assert await rest.is_server_live(url) and await rest.is_server_ready(url)
    for binary in (False, True):
        tensor = kserve.InferInput("images", list(images.shape), "UINT8")
        tensor.set_data_from_numpy(images, binary_data=binary)
        request = kserve.InferRequest(model_name=model, infer_inputs=[tensor])
        answer = await rest.infer(url, request, model_name=model)
        outputs = {output.name: output.as_numpy() for output in answer.outputs}
        assert np.allclose(outputs["probabilities"], expected, atol=1e-5)
    first = InferenceRESTClient(RESTConfig(protocol="v1"))
    assert await first.is_model_ready(url, model)
    answer = await first.infer(url, {"instances": images.tolist()}, model_name=model)
    rows = [row["probabilities"] for row in answer["predictions"]]
    assert np.allclose(rows, expected, atol=1e-5)
    print("kserve: the same numbers by both protocols")


asyncio.run(by_kserve())
