/**
 * The schema of file descriptors, as text, and the numbers it uses for types and labels.
 *
 * Source: https://github.com/protocolbuffers/protobuf/blob/main/src/google/protobuf/descriptor.proto
 */

/** The messages of descriptor.proto, with the fields that our files use. */
export const SCHEMA = `
syntax = "proto2";
message File {
  optional string name = 1;
  optional string package = 2;
  repeated string dependency = 3;
  repeated Message message_type = 4;
  repeated Enum enum_type = 5;
  repeated Service service = 6;
  optional FileOptions options = 8;
  optional string syntax = 12;
}
message FileOptions {
  optional string java_package = 1;
  optional string java_outer_classname = 8;
  optional bool java_multiple_files = 10;
  optional string go_package = 11;
  optional bool cc_enable_arenas = 31;
  optional string objc_class_prefix = 36;
  optional string csharp_namespace = 37;
}
message Message {
  optional string name = 1;
  repeated Field field = 2;
  repeated Message nested_type = 3;
  repeated Enum enum_type = 4;
  optional MessageOptions options = 7;
  repeated Oneof oneof_decl = 8;
  repeated Range reserved_range = 9;
  repeated string reserved_name = 10;
}
message MessageOptions { optional bool map_entry = 7; }
message Range { optional int32 start = 1; optional int32 end = 2; }
message Field {
  optional string name = 1;
  optional int32 number = 3;
  optional int32 label = 4;
  optional int32 type = 5;
  optional string type_name = 6;
  optional int32 oneof_index = 9;
  optional string json_name = 10;
  optional bool proto3_optional = 17;
}
message Oneof { optional string name = 1; }
message Enum {
  optional string name = 1;
  repeated EnumValue value = 2;
  repeated Range reserved_range = 4;
  repeated string reserved_name = 5;
}
message EnumValue { optional string name = 1; optional int32 number = 2; }
message Service { optional string name = 1; repeated Method method = 2; }
message Method {
  optional string name = 1;
  optional string input_type = 2;
  optional string output_type = 3;
  optional bool client_streaming = 5;
  optional bool server_streaming = 6;
}`;

const SCALARS = [
  ["double", 1],
  ["float", 2],
  ["int64", 3],
  ["uint64", 4],
  ["int32", 5],
  ["fixed64", 6],
  ["fixed32", 7],
  ["bool", 8],
  ["string", 9],
  ["bytes", 12],
  ["uint32", 13],
  ["sfixed32", 15],
  ["sfixed64", 16],
  ["sint32", 17],
  ["sint64", 18],
] as const;
/** The number of each scalar type. */
export const NUMBER_OF_SCALAR: ReadonlyMap<string, number> = new Map(SCALARS);
/** The type number of a message. */
export const MESSAGE = 11;
/** The type number of an enum. */
export const ENUM = 14;
/** The label of a single field. */
export const OPTIONAL = 1;
/** The label of a repeated field or a map. */
export const REPEATED = 3;
