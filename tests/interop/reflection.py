"""A client that knows only the address of teleport. It gets all messages and calls by server reflection.

Arguments: ADDRESS CERTIFICATE_DIRECTORY DESCRIPTOR_SET_OF_PROTOC
"""

import pathlib
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase

address, certs, by_protoc = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])


def check(condition, what):
    if not condition:
        sys.exit("not as promised: " + what)


def read(name):
    return (certs / name).read_bytes()


credentials = grpc.ssl_channel_credentials(read("ca.crt"), read("admin.key"), read("admin.crt"))
with grpc.secure_channel(address, credentials) as channel:
    database = ProtoReflectionDescriptorDatabase(channel)
    pool = descriptor_pool.DescriptorPool(database)

    # Every file is the same as the one of protoc.
    for file in descriptor_pb2.FileDescriptorSet.FromString(by_protoc.read_bytes()).file:
        check(database.FindFileByName(file.name) == file, "the description of %s" % file.name)

    # Reflection finds every type that a call needs.
    seen = set()

    def resolve(message):
        if message.full_name in seen:
            return
        seen.add(message.full_name)
        check(pool.FindMessageTypeByName(message.full_name) is message, message.full_name)
        message_factory.GetMessageClass(message)()
        for field in message.fields:
            if field.message_type is not None:
                resolve(field.message_type)

    methods = {}
    for service_name in database.get_services():
        for method in pool.FindServiceByName(service_name).methods:
            resolve(method.input_type)
            resolve(method.output_type)
            if service_name == "teleport.v1.JobWorker":
                methods[method.name] = method
    check("google.protobuf.Timestamp" in seen and "teleport.v1.JobStatus.LabelsEntry" in seen, "found %s" % seen)

    # The entries of a map are messages too.
    for symbol in ["teleport.v1.JobRequest.EnvEntry", "teleport.v1.JobRequest.EnvEntry.key"]:
        check(database.FindFileContainingSymbol(symbol).name == "teleport/v1/job_worker.proto", symbol)

    def call(name, *requests):
        """Calls a method with requests as dicts, and returns the answers."""
        method = methods[name]
        request_class = message_factory.GetMessageClass(method.input_type)
        made = [request_class(**request) for request in requests]
        kinds = {
            (False, False): channel.unary_unary,
            (False, True): channel.unary_stream,
            (True, False): channel.stream_unary,
        }
        kind = kinds[method.client_streaming, method.server_streaming]
        answer_class = message_factory.GetMessageClass(method.output_type)
        path = "/%s/%s" % (method.containing_service.full_name, name)
        stub = kind(path, request_class.SerializeToString, answer_class.FromString)
        answer = stub(iter(made) if method.client_streaming else made[0], timeout=30)
        return list(answer) if method.server_streaming else [answer]

    [job] = call("Register", {"command": "cat", "input": True, "labels": {"from": "reflection"}})
    check(dict(job.labels) == {"from": "reflection"} and job.registered_at.seconds > 0, "Register gives %s" % job)
    stub = channel.unary_stream(
        "/teleport.v1.JobWorker/Start",
        message_factory.GetMessageClass(methods["Start"].input_type).SerializeToString,
        message_factory.GetMessageClass(methods["Start"].output_type).FromString,
    )
    states = stub(message_factory.GetMessageClass(methods["Start"].input_type)(id=job.id), timeout=30)
    next(states)
    call("Input", {"id": job.id, "data": b"one "}, {"data": b"two", "end": True})
    *_, last = states
    check(last.exit_code == 0, "the job ends %s" % last)
    output = b"".join(message.data for message in call("GetOutput", {"id": job.id}))
    check(output == b"one two", "the output is %s" % output)
    check(any(each.id == job.id for each in call("List", {})[0].jobs), "List")
    call("Remove", {"id": job.id})
    [who] = call("WhoAmI", {})
    check(who.user == "admin", "WhoAmI gives %s" % who)
print("as promised")
