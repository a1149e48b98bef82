"""A client of teleport in Python, made from the .proto alone. It uses grpcio, which is gRPC's C core.

Arguments: ADDRESS CERTIFICATE_DIRECTORY DIRECTORY_OF_THE_GENERATED_MODULES
"""

import hashlib
import pathlib
import sys

address, certs, generated = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3]
sys.path.insert(0, generated)

import grpc  # noqa: E402
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import (  # noqa: E402
    ProtoReflectionDescriptorDatabase,
)
from teleport.v1 import job_worker_pb2 as pb  # noqa: E402
from teleport.v1 import job_worker_pb2_grpc as rpc  # noqa: E402


def read(name):
    return (certs / name).read_bytes()


def check(condition, what):
    if not condition:
        sys.exit("not as promised: " + what)


credentials = grpc.ssl_channel_credentials(read("ca.crt"), read("admin.key"), read("admin.crt"))
with grpc.secure_channel(address, credentials) as channel:
    worker = rpc.JobWorkerStub(channel)

    names = ProtoReflectionDescriptorDatabase(channel).get_services()
    check("teleport.v1.JobWorker" in names, "reflection lists %s" % names)

    script = "printf 'a\\0\\377'; head -c 3000000 /dev/zero; echo err >&2; exit 7"
    job = worker.Register(pb.JobRequest(command="sh", args=["-c", script], labels={"from": "python"}))
    check(job.state == pb.STATE_INITIAL and job.id, "Register")
    states = [status.state for status in worker.Start(pb.StartRequest(id=job.id))]
    check(states == [pb.STATE_STARTING, pb.STATE_RUNNING, pb.STATE_EXITED], "Start gives %s" % states)
    status = worker.Status(pb.StatusRequest(id=job.id))
    check(status.HasField("exit_code") and status.exit_code == 7 and status.signal == "", "Status")

    streams = {pb.STREAM_STDOUT: b"", pb.STREAM_STDERR: b""}
    for message in worker.GetOutput(pb.GetOutputRequest(id=job.id)):
        if message.HasField("end"):
            end = message.end
        else:
            check(message.offset == len(streams[message.stream]), "offset")
            streams[message.stream] += message.data
    check(streams[pb.STREAM_STDOUT] == b"a\0\xff" + bytes(3000000), "stdout")
    check(streams[pb.STREAM_STDERR] == b"err\n", "stderr")
    check(end.stdout_sha256 == hashlib.sha256(streams[pb.STREAM_STDOUT]).digest(), "digest")

    quiet = worker.Register(pb.JobRequest(command="sleep", args=["1000"]))
    for status in worker.Start(pb.StartRequest(id=quiet.id)):
        if status.state == pb.STATE_RUNNING:
            break
    stopped = worker.Stop(pb.StopRequest(id=quiet.id))
    check(stopped.state == pb.STATE_KILLED and stopped.signal == "SIGTERM", "Stop")
    check(not stopped.HasField("exit_code"), "no exit code")

    found = worker.List(pb.ListRequest(labels={"from": "python"}))
    check([each.id for each in found.jobs] == [job.id], "List")
    worker.Remove(pb.RemoveRequest(id=job.id))
    try:
        worker.Status(pb.StatusRequest(id=job.id))
        check(False, "Remove")
    except grpc.RpcError as error:
        check(error.code() == grpc.StatusCode.NOT_FOUND, "NOT_FOUND")

print("as promised")
