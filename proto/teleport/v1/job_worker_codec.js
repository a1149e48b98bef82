// Generated from job_worker.proto by `deno task generate`. Do not edit.
// deno-fmt-ignore-file
// deno-lint-ignore-file
/** Returns the functions of each call's messages, which protobuf.js has generated. Takes protobuf.js. */
export function codecs({ Reader, Writer, util }) {
const OutputPolicy = { values: {"0":"OUTPUT_POLICY_UNSPECIFIED","1":"OUTPUT_POLICY_STOP","2":"OUTPUT_POLICY_KEEP_NEWEST","3":"OUTPUT_POLICY_BLOCK"} };
const Isolation = { values: {"0":"ISOLATION_UNSPECIFIED","1":"ISOLATION_PRIVATE","2":"ISOLATION_STRICT"} };
const Stream = { values: {"0":"STREAM_UNSPECIFIED","1":"STREAM_STDOUT","2":"STREAM_STDERR"} };
const State = { values: {"0":"STATE_UNSPECIFIED","1":"STATE_INITIAL","2":"STATE_STARTING","3":"STATE_RUNNING","4":"STATE_STOPPING","5":"STATE_EXITED","6":"STATE_KILLED","7":"STATE_FAILED","8":"STATE_LOST"} };
const ListOrder = { values: {"0":"LIST_ORDER_UNSPECIFIED","1":"LIST_ORDER_REGISTERED","2":"LIST_ORDER_STARTED","3":"LIST_ORDER_ENDED"} };
const Reason = { values: {"0":"REASON_UNSPECIFIED","1":"REASON_EXITED","2":"REASON_SIGNALED","3":"REASON_STOPPED","4":"REASON_TIMED_OUT","5":"REASON_OUTPUT_LIMIT","6":"REASON_OUT_OF_MEMORY","7":"REASON_START_FAILED","8":"REASON_LOST","9":"REASON_SHUTDOWN","10":"REASON_OUTPUT_FAILED"} };
const JobEventKind = { values: {"0":"JOB_EVENT_KIND_UNSPECIFIED","1":"JOB_EVENT_KIND_KNOWN","2":"JOB_EVENT_KIND_CURRENT","3":"JOB_EVENT_KIND_CHANGED","4":"JOB_EVENT_KIND_REMOVED","5":"JOB_EVENT_KIND_HEARTBEAT"} };
const UsageSource = { values: {"0":"USAGE_SOURCE_UNSPECIFIED","1":"USAGE_SOURCE_CGROUP","2":"USAGE_SOURCE_RUSAGE","3":"USAGE_SOURCE_PROC"} };
const JobRequest = { ctor: function JobRequest(p){
  this.args=[]
  this.env={}
  this.labels={}
  this.parameters={}
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const StartRequest = { ctor: function StartRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const StatusStreamRequest = { ctor: function StatusStreamRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const StatusRequest = { ctor: function StatusRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const StopRequest = { ctor: function StopRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const GetOutputRequest = { ctor: function GetOutputRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const SignalRequest = { ctor: function SignalRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const InputRequest = { ctor: function InputRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const PauseRequest = { ctor: function PauseRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const ResumeRequest = { ctor: function ResumeRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const ResizeRequest = { ctor: function ResizeRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const ListRequest = { ctor: function ListRequest(p){
  this.states=[]
  this.labels={}
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const RemoveRequest = { ctor: function RemoveRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const WatchJobsRequest = { ctor: function WatchJobsRequest(p){
  this.states=[]
  this.labels={}
  this.ids=[]
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const WhoAmIRequest = { ctor: function WhoAmIRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const CanIRequest = { ctor: function CanIRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const InfoRequest = { ctor: function InfoRequest(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const Rlimits = { ctor: function Rlimits(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const CgroupLimits = { ctor: function CgroupLimits(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const TerminalSize = { ctor: function TerminalSize(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const Timestamp = { ctor: function Timestamp(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const JobStatus = { ctor: function JobStatus(p){
  this.args=[]
  this.labels={}
  this.signals=[]
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const JobOutput = { ctor: function JobOutput(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const InputResponse = { ctor: function InputResponse(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const ListResponse = { ctor: function ListResponse(p){
  this.jobs=[]
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const RemoveResponse = { ctor: function RemoveResponse(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const JobEvent = { ctor: function JobEvent(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const WhoAmIResponse = { ctor: function WhoAmIResponse(p){
  this.roles=[]
  this.known_roles=[]
  this.rules=[]
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const CanIResponse = { ctor: function CanIResponse(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const InfoResponse = { ctor: function InfoResponse(p){
  this.limits=[]
  this.isolations=[]
  this.cgroup_controllers=[]
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const Usage = { ctor: function Usage(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const SentSignal = { ctor: function SentSignal(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const Placement = { ctor: function Placement(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const OutputEnd = { ctor: function OutputEnd(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const ServerLimit = { ctor: function ServerLimit(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
const IsolationSupport = { ctor: function IsolationSupport(p){
  if(p)for(var ks=Object.keys(p),i=0;i<ks.length;++i)if(p[ks[i]]!=null&&ks[i]!=="__proto__")
  this[ks[i]]=p[ks[i]]
} };
{
const types = [null, null, null, null, null, null, null, null, OutputPolicy, null, null, null, null, null, null, null, null, Rlimits, null, null, Isolation, null, CgroupLimits, null, TerminalSize, null, null, null, null, null];
JobRequest.fromObject = function JobRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.JobRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.command!=null){
  m.command=String(d.command)
  }
  if(d.args){
  if(!Array.isArray(d.args))
  throw TypeError(".teleport.v1.JobRequest.args: array expected")
  m.args=[]
  for(var i=0;i<d.args.length;++i){
  m.args[i]=String(d.args[i])
  }
  }
  if(d.env){
  if(!util.isObject(d.env))
  throw TypeError(".teleport.v1.JobRequest.env: object expected")
  m.env={}
  for(var ks=Object.keys(d.env),i=0;i<ks.length;++i){
  if(ks[i]==="__proto__")
  util.makeProp(m.env,ks[i])
  m.env[ks[i]]=String(d.env[ks[i]])
  }
  }
  if(d.cwd!=null){
  m.cwd=String(d.cwd)
  }
  if(d.labels){
  if(!util.isObject(d.labels))
  throw TypeError(".teleport.v1.JobRequest.labels: object expected")
  m.labels={}
  for(var ks=Object.keys(d.labels),i=0;i<ks.length;++i){
  if(ks[i]==="__proto__")
  util.makeProp(m.labels,ks[i])
  m.labels[ks[i]]=String(d.labels[ks[i]])
  }
  }
  if(d.timeout_ms!=null){
  if(util.Long)
  m.timeout_ms=util.Long.fromValue(d.timeout_ms,true)
  else if(typeof d.timeout_ms==="string")
  m.timeout_ms=parseInt(d.timeout_ms,10)
  else if(typeof d.timeout_ms==="number")
  m.timeout_ms=d.timeout_ms
  else if(typeof d.timeout_ms==="object")
  m.timeout_ms=new util.LongBits(d.timeout_ms.low>>>0,d.timeout_ms.high>>>0).toNumber(true)
  }
  if(d.grace_ms!=null){
  if(util.Long)
  m.grace_ms=util.Long.fromValue(d.grace_ms,true)
  else if(typeof d.grace_ms==="string")
  m.grace_ms=parseInt(d.grace_ms,10)
  else if(typeof d.grace_ms==="number")
  m.grace_ms=d.grace_ms
  else if(typeof d.grace_ms==="object")
  m.grace_ms=new util.LongBits(d.grace_ms.low>>>0,d.grace_ms.high>>>0).toNumber(true)
  }
  if(d.max_output_bytes!=null){
  if(util.Long)
  m.max_output_bytes=util.Long.fromValue(d.max_output_bytes,true)
  else if(typeof d.max_output_bytes==="string")
  m.max_output_bytes=parseInt(d.max_output_bytes,10)
  else if(typeof d.max_output_bytes==="number")
  m.max_output_bytes=d.max_output_bytes
  else if(typeof d.max_output_bytes==="object")
  m.max_output_bytes=new util.LongBits(d.max_output_bytes.low>>>0,d.max_output_bytes.high>>>0).toNumber(true)
  }
  switch(d.output_policy){
  default:
  if(typeof(d.output_policy)==="number"){m.output_policy=d.output_policy;break}
  break
  case"OUTPUT_POLICY_UNSPECIFIED":
  case 0:
  m.output_policy=0
  break
  case"OUTPUT_POLICY_STOP":
  case 1:
  m.output_policy=1
  break
  case"OUTPUT_POLICY_KEEP_NEWEST":
  case 2:
  m.output_policy=2
  break
  case"OUTPUT_POLICY_BLOCK":
  case 3:
  m.output_policy=3
  break
  }
  if(d.request_id!=null){
  m.request_id=String(d.request_id)
  }
  if(d.name!=null){
  m.name=String(d.name)
  }
  if(d.like!=null){
  m.like=String(d.like)
  }
  if(d.rerun!=null){
  m.rerun=String(d.rerun)
  }
  if(d.user!=null){
  m.user=String(d.user)
  }
  if(d.group!=null){
  m.group=String(d.group)
  }
  if(d.umask!=null){
  m.umask=d.umask>>>0
  }
  if(d.nice!=null){
  m.nice=d.nice>>>0
  }
  if(d.rlimits!=null){
  if(!util.isObject(d.rlimits))
  throw TypeError(".teleport.v1.JobRequest.rlimits: object expected")
  m.rlimits=types[17].fromObject(d.rlimits,n+1)
  }
  if(d.allow_new_privileges!=null){
  m.allow_new_privileges=Boolean(d.allow_new_privileges)
  }
  if(d.inherit_env!=null){
  m.inherit_env=Boolean(d.inherit_env)
  }
  switch(d.isolation){
  default:
  if(typeof(d.isolation)==="number"){m.isolation=d.isolation;break}
  break
  case"ISOLATION_UNSPECIFIED":
  case 0:
  m.isolation=0
  break
  case"ISOLATION_PRIVATE":
  case 1:
  m.isolation=1
  break
  case"ISOLATION_STRICT":
  case 2:
  m.isolation=2
  break
  }
  if(d.oom_score_adj!=null){
  m.oom_score_adj=d.oom_score_adj|0
  }
  if(d.cgroup_limits!=null){
  if(!util.isObject(d.cgroup_limits))
  throw TypeError(".teleport.v1.JobRequest.cgroup_limits: object expected")
  m.cgroup_limits=types[22].fromObject(d.cgroup_limits,n+1)
  }
  if(d.input!=null){
  m.input=Boolean(d.input)
  }
  if(d.terminal!=null){
  if(!util.isObject(d.terminal))
  throw TypeError(".teleport.v1.JobRequest.terminal: object expected")
  m.terminal=types[24].fromObject(d.terminal,n+1)
  }
  if(d.template!=null){
  m.template=String(d.template)
  }
  if(d.parameters){
  if(!util.isObject(d.parameters))
  throw TypeError(".teleport.v1.JobRequest.parameters: object expected")
  m.parameters={}
  for(var ks=Object.keys(d.parameters),i=0;i<ks.length;++i){
  if(ks[i]==="__proto__")
  util.makeProp(m.parameters,ks[i])
  m.parameters[ks[i]]=String(d.parameters[ks[i]])
  }
  }
  if(d.engine!=null){
  m.engine=String(d.engine)
  }
  if(d.partition!=null){
  m.partition=String(d.partition)
  }
  if(d.node_constraint!=null){
  m.node_constraint=String(d.node_constraint)
  }
  return m
};
JobRequest.encode = function JobRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.command!=null&&Object.hasOwnProperty.call(m,"command"))
  w.uint32(10).string(m.command)
  if(m.args!=null&&m.args.length){
  for(var i=0;i<m.args.length;++i)
  w.uint32(18).string(m.args[i])
  }
  if(m.env!=null&&Object.hasOwnProperty.call(m,"env")){
  for(var ks=Object.keys(m.env),i=0;i<ks.length;++i){
  w.uint32(26).fork().uint32(10).string(ks[i])
  .uint32(18).string(m.env[ks[i]]).ldelim()
  }
  }
  if(m.cwd!=null&&Object.hasOwnProperty.call(m,"cwd"))
  w.uint32(34).string(m.cwd)
  if(m.labels!=null&&Object.hasOwnProperty.call(m,"labels")){
  for(var ks=Object.keys(m.labels),i=0;i<ks.length;++i){
  w.uint32(42).fork().uint32(10).string(ks[i])
  .uint32(18).string(m.labels[ks[i]]).ldelim()
  }
  }
  if(m.timeout_ms!=null&&Object.hasOwnProperty.call(m,"timeout_ms"))
  w.uint32(48).uint64(m.timeout_ms)
  if(m.grace_ms!=null&&Object.hasOwnProperty.call(m,"grace_ms"))
  w.uint32(56).uint64(m.grace_ms)
  if(m.max_output_bytes!=null&&Object.hasOwnProperty.call(m,"max_output_bytes"))
  w.uint32(64).uint64(m.max_output_bytes)
  if(m.output_policy!=null&&Object.hasOwnProperty.call(m,"output_policy"))
  w.uint32(72).int32(m.output_policy)
  if(m.request_id!=null&&Object.hasOwnProperty.call(m,"request_id"))
  w.uint32(82).string(m.request_id)
  if(m.name!=null&&Object.hasOwnProperty.call(m,"name"))
  w.uint32(90).string(m.name)
  if(m.like!=null&&Object.hasOwnProperty.call(m,"like"))
  w.uint32(98).string(m.like)
  if(m.rerun!=null&&Object.hasOwnProperty.call(m,"rerun"))
  w.uint32(106).string(m.rerun)
  if(m.user!=null&&Object.hasOwnProperty.call(m,"user"))
  w.uint32(242).string(m.user)
  if(m.group!=null&&Object.hasOwnProperty.call(m,"group"))
  w.uint32(250).string(m.group)
  if(m.umask!=null&&Object.hasOwnProperty.call(m,"umask"))
  w.uint32(256).uint32(m.umask)
  if(m.nice!=null&&Object.hasOwnProperty.call(m,"nice"))
  w.uint32(264).uint32(m.nice)
  if(m.rlimits!=null&&Object.hasOwnProperty.call(m,"rlimits"))
  types[17].encode(m.rlimits,w.uint32(274).fork(),q+1).ldelim()
  if(m.allow_new_privileges!=null&&Object.hasOwnProperty.call(m,"allow_new_privileges"))
  w.uint32(280).bool(m.allow_new_privileges)
  if(m.inherit_env!=null&&Object.hasOwnProperty.call(m,"inherit_env"))
  w.uint32(288).bool(m.inherit_env)
  if(m.isolation!=null&&Object.hasOwnProperty.call(m,"isolation"))
  w.uint32(296).int32(m.isolation)
  if(m.oom_score_adj!=null&&Object.hasOwnProperty.call(m,"oom_score_adj"))
  w.uint32(304).int32(m.oom_score_adj)
  if(m.cgroup_limits!=null&&Object.hasOwnProperty.call(m,"cgroup_limits"))
  types[22].encode(m.cgroup_limits,w.uint32(362).fork(),q+1).ldelim()
  if(m.input!=null&&Object.hasOwnProperty.call(m,"input"))
  w.uint32(424).bool(m.input)
  if(m.terminal!=null&&Object.hasOwnProperty.call(m,"terminal"))
  types[24].encode(m.terminal,w.uint32(434).fork(),q+1).ldelim()
  if(m.template!=null&&Object.hasOwnProperty.call(m,"template"))
  w.uint32(482).string(m.template)
  if(m.parameters!=null&&Object.hasOwnProperty.call(m,"parameters")){
  for(var ks=Object.keys(m.parameters),i=0;i<ks.length;++i){
  w.uint32(490).fork().uint32(10).string(ks[i])
  .uint32(18).string(m.parameters[ks[i]]).ldelim()
  }
  }
  if(m.engine!=null&&Object.hasOwnProperty.call(m,"engine"))
  w.uint32(562).string(m.engine)
  if(m.partition!=null&&Object.hasOwnProperty.call(m,"partition"))
  w.uint32(570).string(m.partition)
  if(m.node_constraint!=null&&Object.hasOwnProperty.call(m,"node_constraint"))
  w.uint32(578).string(m.node_constraint)
  return w
};
}
{
const types = [null];
StartRequest.fromObject = function StartRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.StartRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  return m
};
StartRequest.encode = function StartRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  return w
};
}
{
const types = [null];
StatusStreamRequest.fromObject = function StatusStreamRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.StatusStreamRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  return m
};
StatusStreamRequest.encode = function StatusStreamRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  return w
};
}
{
const types = [null];
StatusRequest.fromObject = function StatusRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.StatusRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  return m
};
StatusRequest.encode = function StatusRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  return w
};
}
{
const types = [null, null];
StopRequest.fromObject = function StopRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.StopRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  if(d.grace_ms!=null){
  if(util.Long)
  m.grace_ms=util.Long.fromValue(d.grace_ms,true)
  else if(typeof d.grace_ms==="string")
  m.grace_ms=parseInt(d.grace_ms,10)
  else if(typeof d.grace_ms==="number")
  m.grace_ms=d.grace_ms
  else if(typeof d.grace_ms==="object")
  m.grace_ms=new util.LongBits(d.grace_ms.low>>>0,d.grace_ms.high>>>0).toNumber(true)
  }
  return m
};
StopRequest.encode = function StopRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  if(m.grace_ms!=null&&Object.hasOwnProperty.call(m,"grace_ms"))
  w.uint32(16).uint64(m.grace_ms)
  return w
};
}
{
const types = [null, null, null, Stream, null, null, Timestamp, Timestamp, null, null, null, null, null, null];
GetOutputRequest.fromObject = function GetOutputRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.GetOutputRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  if(d.cursor!=null){
  m.cursor=String(d.cursor)
  }
  if(d.follow!=null){
  m.follow=Boolean(d.follow)
  }
  switch(d.stream){
  default:
  if(typeof(d.stream)==="number"){m.stream=d.stream;break}
  break
  case"STREAM_UNSPECIFIED":
  case 0:
  m.stream=0
  break
  case"STREAM_STDOUT":
  case 1:
  m.stream=1
  break
  case"STREAM_STDERR":
  case 2:
  m.stream=2
  break
  }
  if(d.tail_lines!=null){
  if(util.Long)
  m.tail_lines=util.Long.fromValue(d.tail_lines,true)
  else if(typeof d.tail_lines==="string")
  m.tail_lines=parseInt(d.tail_lines,10)
  else if(typeof d.tail_lines==="number")
  m.tail_lines=d.tail_lines
  else if(typeof d.tail_lines==="object")
  m.tail_lines=new util.LongBits(d.tail_lines.low>>>0,d.tail_lines.high>>>0).toNumber(true)
  }
  if(d.tail_bytes!=null){
  if(util.Long)
  m.tail_bytes=util.Long.fromValue(d.tail_bytes,true)
  else if(typeof d.tail_bytes==="string")
  m.tail_bytes=parseInt(d.tail_bytes,10)
  else if(typeof d.tail_bytes==="number")
  m.tail_bytes=d.tail_bytes
  else if(typeof d.tail_bytes==="object")
  m.tail_bytes=new util.LongBits(d.tail_bytes.low>>>0,d.tail_bytes.high>>>0).toNumber(true)
  }
  if(d.since!=null){
  if(!util.isObject(d.since))
  throw TypeError(".teleport.v1.GetOutputRequest.since: object expected")
  m.since=types[6].fromObject(d.since,n+1)
  }
  if(d.until!=null){
  if(!util.isObject(d.until))
  throw TypeError(".teleport.v1.GetOutputRequest.until: object expected")
  m.until=types[7].fromObject(d.until,n+1)
  }
  if(d.exact_pieces!=null){
  m.exact_pieces=Boolean(d.exact_pieces)
  }
  if(d.heartbeat_ms!=null){
  m.heartbeat_ms=d.heartbeat_ms>>>0
  }
  if(d.since_age_ms!=null){
  if(util.Long)
  m.since_age_ms=util.Long.fromValue(d.since_age_ms,true)
  else if(typeof d.since_age_ms==="string")
  m.since_age_ms=parseInt(d.since_age_ms,10)
  else if(typeof d.since_age_ms==="number")
  m.since_age_ms=d.since_age_ms
  else if(typeof d.since_age_ms==="object")
  m.since_age_ms=new util.LongBits(d.since_age_ms.low>>>0,d.since_age_ms.high>>>0).toNumber(true)
  }
  if(d.until_age_ms!=null){
  if(util.Long)
  m.until_age_ms=util.Long.fromValue(d.until_age_ms,true)
  else if(typeof d.until_age_ms==="string")
  m.until_age_ms=parseInt(d.until_age_ms,10)
  else if(typeof d.until_age_ms==="number")
  m.until_age_ms=d.until_age_ms
  else if(typeof d.until_age_ms==="object")
  m.until_age_ms=new util.LongBits(d.until_age_ms.low>>>0,d.until_age_ms.high>>>0).toNumber(true)
  }
  if(d.grep!=null){
  m.grep=String(d.grep)
  }
  if(d.grep_ignore_case!=null){
  m.grep_ignore_case=Boolean(d.grep_ignore_case)
  }
  return m
};
GetOutputRequest.encode = function GetOutputRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  if(m.cursor!=null&&Object.hasOwnProperty.call(m,"cursor"))
  w.uint32(18).string(m.cursor)
  if(m.follow!=null&&Object.hasOwnProperty.call(m,"follow"))
  w.uint32(24).bool(m.follow)
  if(m.stream!=null&&Object.hasOwnProperty.call(m,"stream"))
  w.uint32(32).int32(m.stream)
  if(m.tail_lines!=null&&Object.hasOwnProperty.call(m,"tail_lines"))
  w.uint32(40).uint64(m.tail_lines)
  if(m.tail_bytes!=null&&Object.hasOwnProperty.call(m,"tail_bytes"))
  w.uint32(48).uint64(m.tail_bytes)
  if(m.since!=null&&Object.hasOwnProperty.call(m,"since"))
  types[6].encode(m.since,w.uint32(58).fork(),q+1).ldelim()
  if(m.until!=null&&Object.hasOwnProperty.call(m,"until"))
  types[7].encode(m.until,w.uint32(66).fork(),q+1).ldelim()
  if(m.exact_pieces!=null&&Object.hasOwnProperty.call(m,"exact_pieces"))
  w.uint32(72).bool(m.exact_pieces)
  if(m.heartbeat_ms!=null&&Object.hasOwnProperty.call(m,"heartbeat_ms"))
  w.uint32(80).uint32(m.heartbeat_ms)
  if(m.since_age_ms!=null&&Object.hasOwnProperty.call(m,"since_age_ms"))
  w.uint32(88).uint64(m.since_age_ms)
  if(m.until_age_ms!=null&&Object.hasOwnProperty.call(m,"until_age_ms"))
  w.uint32(96).uint64(m.until_age_ms)
  if(m.grep!=null&&Object.hasOwnProperty.call(m,"grep"))
  w.uint32(106).string(m.grep)
  if(m.grep_ignore_case!=null&&Object.hasOwnProperty.call(m,"grep_ignore_case"))
  w.uint32(112).bool(m.grep_ignore_case)
  return w
};
}
{
const types = [null, null];
SignalRequest.fromObject = function SignalRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.SignalRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  if(d.signal!=null){
  m.signal=String(d.signal)
  }
  return m
};
SignalRequest.encode = function SignalRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  if(m.signal!=null&&Object.hasOwnProperty.call(m,"signal"))
  w.uint32(18).string(m.signal)
  return w
};
}
{
const types = [null, null, null, null, null];
InputRequest.fromObject = function InputRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.InputRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  if(d.writer!=null){
  m.writer=String(d.writer)
  }
  if(d.offset!=null){
  if(util.Long)
  m.offset=util.Long.fromValue(d.offset,true)
  else if(typeof d.offset==="string")
  m.offset=parseInt(d.offset,10)
  else if(typeof d.offset==="number")
  m.offset=d.offset
  else if(typeof d.offset==="object")
  m.offset=new util.LongBits(d.offset.low>>>0,d.offset.high>>>0).toNumber(true)
  }
  if(d.data!=null){
  if(typeof d.data==="string")
  util.base64.decode(d.data,m.data=util.newBuffer(util.base64.length(d.data)),0)
  else if(d.data.length >= 0)
  m.data=d.data
  }
  if(d.end!=null){
  m.end=Boolean(d.end)
  }
  return m
};
InputRequest.encode = function InputRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  if(m.writer!=null&&Object.hasOwnProperty.call(m,"writer"))
  w.uint32(18).string(m.writer)
  if(m.offset!=null&&Object.hasOwnProperty.call(m,"offset"))
  w.uint32(24).uint64(m.offset)
  if(m.data!=null&&Object.hasOwnProperty.call(m,"data"))
  w.uint32(34).bytes(m.data)
  if(m.end!=null&&Object.hasOwnProperty.call(m,"end"))
  w.uint32(40).bool(m.end)
  return w
};
}
{
const types = [null];
PauseRequest.fromObject = function PauseRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.PauseRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  return m
};
PauseRequest.encode = function PauseRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  return w
};
}
{
const types = [null];
ResumeRequest.fromObject = function ResumeRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.ResumeRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  return m
};
ResumeRequest.encode = function ResumeRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  return w
};
}
{
const types = [null, TerminalSize];
ResizeRequest.fromObject = function ResizeRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.ResizeRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  if(d.size!=null){
  if(!util.isObject(d.size))
  throw TypeError(".teleport.v1.ResizeRequest.size: object expected")
  m.size=types[1].fromObject(d.size,n+1)
  }
  return m
};
ResizeRequest.encode = function ResizeRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  if(m.size!=null&&Object.hasOwnProperty.call(m,"size"))
  types[1].encode(m.size,w.uint32(18).fork(),q+1).ldelim()
  return w
};
}
{
const types = [State, null, null, null, null, null, Timestamp, Timestamp, Timestamp, Timestamp, ListOrder, null, null, null, null, null, null, null];
ListRequest.fromObject = function ListRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.ListRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.states){
  if(!Array.isArray(d.states))
  throw TypeError(".teleport.v1.ListRequest.states: array expected")
  m.states=[]
  for(var i=0;i<d.states.length;++i){
  switch(d.states[i]){
  default:
  if(typeof(d.states[i])==="number"){m.states[i]=d.states[i];break}
  case"STATE_UNSPECIFIED":
  case 0:
  m.states[i]=0
  break
  case"STATE_INITIAL":
  case 1:
  m.states[i]=1
  break
  case"STATE_STARTING":
  case 2:
  m.states[i]=2
  break
  case"STATE_RUNNING":
  case 3:
  m.states[i]=3
  break
  case"STATE_STOPPING":
  case 4:
  m.states[i]=4
  break
  case"STATE_EXITED":
  case 5:
  m.states[i]=5
  break
  case"STATE_KILLED":
  case 6:
  m.states[i]=6
  break
  case"STATE_FAILED":
  case 7:
  m.states[i]=7
  break
  case"STATE_LOST":
  case 8:
  m.states[i]=8
  break
  }
  }
  }
  if(d.owner!=null){
  m.owner=String(d.owner)
  }
  if(d.labels){
  if(!util.isObject(d.labels))
  throw TypeError(".teleport.v1.ListRequest.labels: object expected")
  m.labels={}
  for(var ks=Object.keys(d.labels),i=0;i<ks.length;++i){
  if(ks[i]==="__proto__")
  util.makeProp(m.labels,ks[i])
  m.labels[ks[i]]=String(d.labels[ks[i]])
  }
  }
  if(d.page_size!=null){
  m.page_size=d.page_size>>>0
  }
  if(d.page_token!=null){
  m.page_token=String(d.page_token)
  }
  if(d.command!=null){
  m.command=String(d.command)
  }
  if(d.registered_since!=null){
  if(!util.isObject(d.registered_since))
  throw TypeError(".teleport.v1.ListRequest.registered_since: object expected")
  m.registered_since=types[6].fromObject(d.registered_since,n+1)
  }
  if(d.registered_until!=null){
  if(!util.isObject(d.registered_until))
  throw TypeError(".teleport.v1.ListRequest.registered_until: object expected")
  m.registered_until=types[7].fromObject(d.registered_until,n+1)
  }
  if(d.ended_since!=null){
  if(!util.isObject(d.ended_since))
  throw TypeError(".teleport.v1.ListRequest.ended_since: object expected")
  m.ended_since=types[8].fromObject(d.ended_since,n+1)
  }
  if(d.ended_until!=null){
  if(!util.isObject(d.ended_until))
  throw TypeError(".teleport.v1.ListRequest.ended_until: object expected")
  m.ended_until=types[9].fromObject(d.ended_until,n+1)
  }
  switch(d.order){
  default:
  if(typeof(d.order)==="number"){m.order=d.order;break}
  break
  case"LIST_ORDER_UNSPECIFIED":
  case 0:
  m.order=0
  break
  case"LIST_ORDER_REGISTERED":
  case 1:
  m.order=1
  break
  case"LIST_ORDER_STARTED":
  case 2:
  m.order=2
  break
  case"LIST_ORDER_ENDED":
  case 3:
  m.order=3
  break
  }
  if(d.oldest_first!=null){
  m.oldest_first=Boolean(d.oldest_first)
  }
  if(d.registered_since_age_ms!=null){
  if(util.Long)
  m.registered_since_age_ms=util.Long.fromValue(d.registered_since_age_ms,true)
  else if(typeof d.registered_since_age_ms==="string")
  m.registered_since_age_ms=parseInt(d.registered_since_age_ms,10)
  else if(typeof d.registered_since_age_ms==="number")
  m.registered_since_age_ms=d.registered_since_age_ms
  else if(typeof d.registered_since_age_ms==="object")
  m.registered_since_age_ms=new util.LongBits(d.registered_since_age_ms.low>>>0,d.registered_since_age_ms.high>>>0).toNumber(true)
  }
  if(d.registered_until_age_ms!=null){
  if(util.Long)
  m.registered_until_age_ms=util.Long.fromValue(d.registered_until_age_ms,true)
  else if(typeof d.registered_until_age_ms==="string")
  m.registered_until_age_ms=parseInt(d.registered_until_age_ms,10)
  else if(typeof d.registered_until_age_ms==="number")
  m.registered_until_age_ms=d.registered_until_age_ms
  else if(typeof d.registered_until_age_ms==="object")
  m.registered_until_age_ms=new util.LongBits(d.registered_until_age_ms.low>>>0,d.registered_until_age_ms.high>>>0).toNumber(true)
  }
  if(d.ended_since_age_ms!=null){
  if(util.Long)
  m.ended_since_age_ms=util.Long.fromValue(d.ended_since_age_ms,true)
  else if(typeof d.ended_since_age_ms==="string")
  m.ended_since_age_ms=parseInt(d.ended_since_age_ms,10)
  else if(typeof d.ended_since_age_ms==="number")
  m.ended_since_age_ms=d.ended_since_age_ms
  else if(typeof d.ended_since_age_ms==="object")
  m.ended_since_age_ms=new util.LongBits(d.ended_since_age_ms.low>>>0,d.ended_since_age_ms.high>>>0).toNumber(true)
  }
  if(d.ended_until_age_ms!=null){
  if(util.Long)
  m.ended_until_age_ms=util.Long.fromValue(d.ended_until_age_ms,true)
  else if(typeof d.ended_until_age_ms==="string")
  m.ended_until_age_ms=parseInt(d.ended_until_age_ms,10)
  else if(typeof d.ended_until_age_ms==="number")
  m.ended_until_age_ms=d.ended_until_age_ms
  else if(typeof d.ended_until_age_ms==="object")
  m.ended_until_age_ms=new util.LongBits(d.ended_until_age_ms.low>>>0,d.ended_until_age_ms.high>>>0).toNumber(true)
  }
  if(d.name!=null){
  m.name=String(d.name)
  }
  if(d.id_prefix!=null){
  m.id_prefix=String(d.id_prefix)
  }
  return m
};
ListRequest.encode = function ListRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.states!=null&&m.states.length){
  w.uint32(10).fork()
  for(var i=0;i<m.states.length;++i)
  w.int32(m.states[i])
  w.ldelim()
  }
  if(m.owner!=null&&Object.hasOwnProperty.call(m,"owner"))
  w.uint32(18).string(m.owner)
  if(m.labels!=null&&Object.hasOwnProperty.call(m,"labels")){
  for(var ks=Object.keys(m.labels),i=0;i<ks.length;++i){
  w.uint32(26).fork().uint32(10).string(ks[i])
  .uint32(18).string(m.labels[ks[i]]).ldelim()
  }
  }
  if(m.page_size!=null&&Object.hasOwnProperty.call(m,"page_size"))
  w.uint32(32).uint32(m.page_size)
  if(m.page_token!=null&&Object.hasOwnProperty.call(m,"page_token"))
  w.uint32(42).string(m.page_token)
  if(m.command!=null&&Object.hasOwnProperty.call(m,"command"))
  w.uint32(50).string(m.command)
  if(m.registered_since!=null&&Object.hasOwnProperty.call(m,"registered_since"))
  types[6].encode(m.registered_since,w.uint32(58).fork(),q+1).ldelim()
  if(m.registered_until!=null&&Object.hasOwnProperty.call(m,"registered_until"))
  types[7].encode(m.registered_until,w.uint32(66).fork(),q+1).ldelim()
  if(m.ended_since!=null&&Object.hasOwnProperty.call(m,"ended_since"))
  types[8].encode(m.ended_since,w.uint32(74).fork(),q+1).ldelim()
  if(m.ended_until!=null&&Object.hasOwnProperty.call(m,"ended_until"))
  types[9].encode(m.ended_until,w.uint32(82).fork(),q+1).ldelim()
  if(m.order!=null&&Object.hasOwnProperty.call(m,"order"))
  w.uint32(88).int32(m.order)
  if(m.oldest_first!=null&&Object.hasOwnProperty.call(m,"oldest_first"))
  w.uint32(96).bool(m.oldest_first)
  if(m.registered_since_age_ms!=null&&Object.hasOwnProperty.call(m,"registered_since_age_ms"))
  w.uint32(104).uint64(m.registered_since_age_ms)
  if(m.registered_until_age_ms!=null&&Object.hasOwnProperty.call(m,"registered_until_age_ms"))
  w.uint32(112).uint64(m.registered_until_age_ms)
  if(m.ended_since_age_ms!=null&&Object.hasOwnProperty.call(m,"ended_since_age_ms"))
  w.uint32(120).uint64(m.ended_since_age_ms)
  if(m.ended_until_age_ms!=null&&Object.hasOwnProperty.call(m,"ended_until_age_ms"))
  w.uint32(128).uint64(m.ended_until_age_ms)
  if(m.name!=null&&Object.hasOwnProperty.call(m,"name"))
  w.uint32(138).string(m.name)
  if(m.id_prefix!=null&&Object.hasOwnProperty.call(m,"id_prefix"))
  w.uint32(146).string(m.id_prefix)
  return w
};
}
{
const types = [null];
RemoveRequest.fromObject = function RemoveRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.RemoveRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.id!=null){
  m.id=String(d.id)
  }
  return m
};
RemoveRequest.encode = function RemoveRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(10).string(m.id)
  return w
};
}
{
const types = [State, null, null, null, Timestamp, Timestamp, null, null, null, null, null];
WatchJobsRequest.fromObject = function WatchJobsRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.WatchJobsRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.states){
  if(!Array.isArray(d.states))
  throw TypeError(".teleport.v1.WatchJobsRequest.states: array expected")
  m.states=[]
  for(var i=0;i<d.states.length;++i){
  switch(d.states[i]){
  default:
  if(typeof(d.states[i])==="number"){m.states[i]=d.states[i];break}
  case"STATE_UNSPECIFIED":
  case 0:
  m.states[i]=0
  break
  case"STATE_INITIAL":
  case 1:
  m.states[i]=1
  break
  case"STATE_STARTING":
  case 2:
  m.states[i]=2
  break
  case"STATE_RUNNING":
  case 3:
  m.states[i]=3
  break
  case"STATE_STOPPING":
  case 4:
  m.states[i]=4
  break
  case"STATE_EXITED":
  case 5:
  m.states[i]=5
  break
  case"STATE_KILLED":
  case 6:
  m.states[i]=6
  break
  case"STATE_FAILED":
  case 7:
  m.states[i]=7
  break
  case"STATE_LOST":
  case 8:
  m.states[i]=8
  break
  }
  }
  }
  if(d.owner!=null){
  m.owner=String(d.owner)
  }
  if(d.labels){
  if(!util.isObject(d.labels))
  throw TypeError(".teleport.v1.WatchJobsRequest.labels: object expected")
  m.labels={}
  for(var ks=Object.keys(d.labels),i=0;i<ks.length;++i){
  if(ks[i]==="__proto__")
  util.makeProp(m.labels,ks[i])
  m.labels[ks[i]]=String(d.labels[ks[i]])
  }
  }
  if(d.command!=null){
  m.command=String(d.command)
  }
  if(d.registered_since!=null){
  if(!util.isObject(d.registered_since))
  throw TypeError(".teleport.v1.WatchJobsRequest.registered_since: object expected")
  m.registered_since=types[4].fromObject(d.registered_since,n+1)
  }
  if(d.registered_until!=null){
  if(!util.isObject(d.registered_until))
  throw TypeError(".teleport.v1.WatchJobsRequest.registered_until: object expected")
  m.registered_until=types[5].fromObject(d.registered_until,n+1)
  }
  if(d.ids){
  if(!Array.isArray(d.ids))
  throw TypeError(".teleport.v1.WatchJobsRequest.ids: array expected")
  m.ids=[]
  for(var i=0;i<d.ids.length;++i){
  m.ids[i]=String(d.ids[i])
  }
  }
  if(d.token!=null){
  m.token=String(d.token)
  }
  if(d.heartbeat_ms!=null){
  m.heartbeat_ms=d.heartbeat_ms>>>0
  }
  if(d.registered_since_age_ms!=null){
  if(util.Long)
  m.registered_since_age_ms=util.Long.fromValue(d.registered_since_age_ms,true)
  else if(typeof d.registered_since_age_ms==="string")
  m.registered_since_age_ms=parseInt(d.registered_since_age_ms,10)
  else if(typeof d.registered_since_age_ms==="number")
  m.registered_since_age_ms=d.registered_since_age_ms
  else if(typeof d.registered_since_age_ms==="object")
  m.registered_since_age_ms=new util.LongBits(d.registered_since_age_ms.low>>>0,d.registered_since_age_ms.high>>>0).toNumber(true)
  }
  if(d.registered_until_age_ms!=null){
  if(util.Long)
  m.registered_until_age_ms=util.Long.fromValue(d.registered_until_age_ms,true)
  else if(typeof d.registered_until_age_ms==="string")
  m.registered_until_age_ms=parseInt(d.registered_until_age_ms,10)
  else if(typeof d.registered_until_age_ms==="number")
  m.registered_until_age_ms=d.registered_until_age_ms
  else if(typeof d.registered_until_age_ms==="object")
  m.registered_until_age_ms=new util.LongBits(d.registered_until_age_ms.low>>>0,d.registered_until_age_ms.high>>>0).toNumber(true)
  }
  return m
};
WatchJobsRequest.encode = function WatchJobsRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.states!=null&&m.states.length){
  w.uint32(10).fork()
  for(var i=0;i<m.states.length;++i)
  w.int32(m.states[i])
  w.ldelim()
  }
  if(m.owner!=null&&Object.hasOwnProperty.call(m,"owner"))
  w.uint32(18).string(m.owner)
  if(m.labels!=null&&Object.hasOwnProperty.call(m,"labels")){
  for(var ks=Object.keys(m.labels),i=0;i<ks.length;++i){
  w.uint32(26).fork().uint32(10).string(ks[i])
  .uint32(18).string(m.labels[ks[i]]).ldelim()
  }
  }
  if(m.command!=null&&Object.hasOwnProperty.call(m,"command"))
  w.uint32(50).string(m.command)
  if(m.registered_since!=null&&Object.hasOwnProperty.call(m,"registered_since"))
  types[4].encode(m.registered_since,w.uint32(58).fork(),q+1).ldelim()
  if(m.registered_until!=null&&Object.hasOwnProperty.call(m,"registered_until"))
  types[5].encode(m.registered_until,w.uint32(66).fork(),q+1).ldelim()
  if(m.ids!=null&&m.ids.length){
  for(var i=0;i<m.ids.length;++i)
  w.uint32(74).string(m.ids[i])
  }
  if(m.token!=null&&Object.hasOwnProperty.call(m,"token"))
  w.uint32(82).string(m.token)
  if(m.heartbeat_ms!=null&&Object.hasOwnProperty.call(m,"heartbeat_ms"))
  w.uint32(88).uint32(m.heartbeat_ms)
  if(m.registered_since_age_ms!=null&&Object.hasOwnProperty.call(m,"registered_since_age_ms"))
  w.uint32(96).uint64(m.registered_since_age_ms)
  if(m.registered_until_age_ms!=null&&Object.hasOwnProperty.call(m,"registered_until_age_ms"))
  w.uint32(104).uint64(m.registered_until_age_ms)
  return w
};
}
{
const types = [];
WhoAmIRequest.fromObject = function WhoAmIRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  return new this.ctor
};
WhoAmIRequest.encode = function WhoAmIRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  return w
};
}
{
const types = [null, null, JobRequest];
CanIRequest.fromObject = function CanIRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.CanIRequest: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.call!=null){
  m.call=String(d.call)
  }
  if(d.id!=null){
  m.id=String(d.id)
  }
  if(d.job!=null){
  if(!util.isObject(d.job))
  throw TypeError(".teleport.v1.CanIRequest.job: object expected")
  m.job=types[2].fromObject(d.job,n+1)
  }
  return m
};
CanIRequest.encode = function CanIRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.call!=null&&Object.hasOwnProperty.call(m,"call"))
  w.uint32(10).string(m.call)
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id"))
  w.uint32(18).string(m.id)
  if(m.job!=null&&Object.hasOwnProperty.call(m,"job"))
  types[2].encode(m.job,w.uint32(26).fork(),q+1).ldelim()
  return w
};
}
{
const types = [];
InfoRequest.fromObject = function InfoRequest$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  return new this.ctor
};
InfoRequest.encode = function InfoRequest$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  return w
};
}
{
const types = [null, null, null, null, null, null];
Rlimits.fromObject = function Rlimits$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.Rlimits: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.address_space_bytes!=null){
  if(util.Long)
  m.address_space_bytes=util.Long.fromValue(d.address_space_bytes,true)
  else if(typeof d.address_space_bytes==="string")
  m.address_space_bytes=parseInt(d.address_space_bytes,10)
  else if(typeof d.address_space_bytes==="number")
  m.address_space_bytes=d.address_space_bytes
  else if(typeof d.address_space_bytes==="object")
  m.address_space_bytes=new util.LongBits(d.address_space_bytes.low>>>0,d.address_space_bytes.high>>>0).toNumber(true)
  }
  if(d.cpu_seconds!=null){
  if(util.Long)
  m.cpu_seconds=util.Long.fromValue(d.cpu_seconds,true)
  else if(typeof d.cpu_seconds==="string")
  m.cpu_seconds=parseInt(d.cpu_seconds,10)
  else if(typeof d.cpu_seconds==="number")
  m.cpu_seconds=d.cpu_seconds
  else if(typeof d.cpu_seconds==="object")
  m.cpu_seconds=new util.LongBits(d.cpu_seconds.low>>>0,d.cpu_seconds.high>>>0).toNumber(true)
  }
  if(d.open_files!=null){
  if(util.Long)
  m.open_files=util.Long.fromValue(d.open_files,true)
  else if(typeof d.open_files==="string")
  m.open_files=parseInt(d.open_files,10)
  else if(typeof d.open_files==="number")
  m.open_files=d.open_files
  else if(typeof d.open_files==="object")
  m.open_files=new util.LongBits(d.open_files.low>>>0,d.open_files.high>>>0).toNumber(true)
  }
  if(d.core_bytes!=null){
  if(util.Long)
  m.core_bytes=util.Long.fromValue(d.core_bytes,true)
  else if(typeof d.core_bytes==="string")
  m.core_bytes=parseInt(d.core_bytes,10)
  else if(typeof d.core_bytes==="number")
  m.core_bytes=d.core_bytes
  else if(typeof d.core_bytes==="object")
  m.core_bytes=new util.LongBits(d.core_bytes.low>>>0,d.core_bytes.high>>>0).toNumber(true)
  }
  if(d.file_bytes!=null){
  if(util.Long)
  m.file_bytes=util.Long.fromValue(d.file_bytes,true)
  else if(typeof d.file_bytes==="string")
  m.file_bytes=parseInt(d.file_bytes,10)
  else if(typeof d.file_bytes==="number")
  m.file_bytes=d.file_bytes
  else if(typeof d.file_bytes==="object")
  m.file_bytes=new util.LongBits(d.file_bytes.low>>>0,d.file_bytes.high>>>0).toNumber(true)
  }
  if(d.processes!=null){
  if(util.Long)
  m.processes=util.Long.fromValue(d.processes,true)
  else if(typeof d.processes==="string")
  m.processes=parseInt(d.processes,10)
  else if(typeof d.processes==="number")
  m.processes=d.processes
  else if(typeof d.processes==="object")
  m.processes=new util.LongBits(d.processes.low>>>0,d.processes.high>>>0).toNumber(true)
  }
  return m
};
Rlimits.encode = function Rlimits$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.address_space_bytes!=null&&Object.hasOwnProperty.call(m,"address_space_bytes"))
  w.uint32(8).uint64(m.address_space_bytes)
  if(m.cpu_seconds!=null&&Object.hasOwnProperty.call(m,"cpu_seconds"))
  w.uint32(16).uint64(m.cpu_seconds)
  if(m.open_files!=null&&Object.hasOwnProperty.call(m,"open_files"))
  w.uint32(24).uint64(m.open_files)
  if(m.core_bytes!=null&&Object.hasOwnProperty.call(m,"core_bytes"))
  w.uint32(32).uint64(m.core_bytes)
  if(m.file_bytes!=null&&Object.hasOwnProperty.call(m,"file_bytes"))
  w.uint32(40).uint64(m.file_bytes)
  if(m.processes!=null&&Object.hasOwnProperty.call(m,"processes"))
  w.uint32(48).uint64(m.processes)
  return w
};
Rlimits.decode = function Rlimits$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.address_space_bytes=r.uint64()
  break
  }
  case 2: {
  m.cpu_seconds=r.uint64()
  break
  }
  case 3: {
  m.open_files=r.uint64()
  break
  }
  case 4: {
  m.core_bytes=r.uint64()
  break
  }
  case 5: {
  m.file_bytes=r.uint64()
  break
  }
  case 6: {
  m.processes=r.uint64()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
Rlimits.toObject = function Rlimits$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(m.address_space_bytes!=null&&Object.hasOwnProperty.call(m,"address_space_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.address_space_bytes=typeof m.address_space_bytes==="number"?BigInt(m.address_space_bytes):util.Long.fromBits(m.address_space_bytes.low>>>0,m.address_space_bytes.high>>>0,true).toBigInt()
  else if(typeof m.address_space_bytes==="number")
  d.address_space_bytes=o.longs===String?String(m.address_space_bytes):m.address_space_bytes
  else
  d.address_space_bytes=o.longs===String?util.Long.prototype.toString.call(m.address_space_bytes):o.longs===Number?new util.LongBits(m.address_space_bytes.low>>>0,m.address_space_bytes.high>>>0).toNumber(true):m.address_space_bytes
  if(o.oneofs)
  d._address_space_bytes="address_space_bytes"
  }
  if(m.cpu_seconds!=null&&Object.hasOwnProperty.call(m,"cpu_seconds")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.cpu_seconds=typeof m.cpu_seconds==="number"?BigInt(m.cpu_seconds):util.Long.fromBits(m.cpu_seconds.low>>>0,m.cpu_seconds.high>>>0,true).toBigInt()
  else if(typeof m.cpu_seconds==="number")
  d.cpu_seconds=o.longs===String?String(m.cpu_seconds):m.cpu_seconds
  else
  d.cpu_seconds=o.longs===String?util.Long.prototype.toString.call(m.cpu_seconds):o.longs===Number?new util.LongBits(m.cpu_seconds.low>>>0,m.cpu_seconds.high>>>0).toNumber(true):m.cpu_seconds
  if(o.oneofs)
  d._cpu_seconds="cpu_seconds"
  }
  if(m.open_files!=null&&Object.hasOwnProperty.call(m,"open_files")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.open_files=typeof m.open_files==="number"?BigInt(m.open_files):util.Long.fromBits(m.open_files.low>>>0,m.open_files.high>>>0,true).toBigInt()
  else if(typeof m.open_files==="number")
  d.open_files=o.longs===String?String(m.open_files):m.open_files
  else
  d.open_files=o.longs===String?util.Long.prototype.toString.call(m.open_files):o.longs===Number?new util.LongBits(m.open_files.low>>>0,m.open_files.high>>>0).toNumber(true):m.open_files
  if(o.oneofs)
  d._open_files="open_files"
  }
  if(m.core_bytes!=null&&Object.hasOwnProperty.call(m,"core_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.core_bytes=typeof m.core_bytes==="number"?BigInt(m.core_bytes):util.Long.fromBits(m.core_bytes.low>>>0,m.core_bytes.high>>>0,true).toBigInt()
  else if(typeof m.core_bytes==="number")
  d.core_bytes=o.longs===String?String(m.core_bytes):m.core_bytes
  else
  d.core_bytes=o.longs===String?util.Long.prototype.toString.call(m.core_bytes):o.longs===Number?new util.LongBits(m.core_bytes.low>>>0,m.core_bytes.high>>>0).toNumber(true):m.core_bytes
  if(o.oneofs)
  d._core_bytes="core_bytes"
  }
  if(m.file_bytes!=null&&Object.hasOwnProperty.call(m,"file_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.file_bytes=typeof m.file_bytes==="number"?BigInt(m.file_bytes):util.Long.fromBits(m.file_bytes.low>>>0,m.file_bytes.high>>>0,true).toBigInt()
  else if(typeof m.file_bytes==="number")
  d.file_bytes=o.longs===String?String(m.file_bytes):m.file_bytes
  else
  d.file_bytes=o.longs===String?util.Long.prototype.toString.call(m.file_bytes):o.longs===Number?new util.LongBits(m.file_bytes.low>>>0,m.file_bytes.high>>>0).toNumber(true):m.file_bytes
  if(o.oneofs)
  d._file_bytes="file_bytes"
  }
  if(m.processes!=null&&Object.hasOwnProperty.call(m,"processes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.processes=typeof m.processes==="number"?BigInt(m.processes):util.Long.fromBits(m.processes.low>>>0,m.processes.high>>>0,true).toBigInt()
  else if(typeof m.processes==="number")
  d.processes=o.longs===String?String(m.processes):m.processes
  else
  d.processes=o.longs===String?util.Long.prototype.toString.call(m.processes):o.longs===Number?new util.LongBits(m.processes.low>>>0,m.processes.high>>>0).toNumber(true):m.processes
  if(o.oneofs)
  d._processes="processes"
  }
  return d
};
}
{
const types = [null, null, null, null, null, null];
CgroupLimits.fromObject = function CgroupLimits$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.CgroupLimits: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.memory_bytes!=null){
  if(util.Long)
  m.memory_bytes=util.Long.fromValue(d.memory_bytes,true)
  else if(typeof d.memory_bytes==="string")
  m.memory_bytes=parseInt(d.memory_bytes,10)
  else if(typeof d.memory_bytes==="number")
  m.memory_bytes=d.memory_bytes
  else if(typeof d.memory_bytes==="object")
  m.memory_bytes=new util.LongBits(d.memory_bytes.low>>>0,d.memory_bytes.high>>>0).toNumber(true)
  }
  if(d.cpus!=null){
  m.cpus=Number(d.cpus)
  }
  if(d.processes!=null){
  m.processes=d.processes>>>0
  }
  if(d.read_bytes_per_s!=null){
  if(util.Long)
  m.read_bytes_per_s=util.Long.fromValue(d.read_bytes_per_s,true)
  else if(typeof d.read_bytes_per_s==="string")
  m.read_bytes_per_s=parseInt(d.read_bytes_per_s,10)
  else if(typeof d.read_bytes_per_s==="number")
  m.read_bytes_per_s=d.read_bytes_per_s
  else if(typeof d.read_bytes_per_s==="object")
  m.read_bytes_per_s=new util.LongBits(d.read_bytes_per_s.low>>>0,d.read_bytes_per_s.high>>>0).toNumber(true)
  }
  if(d.write_bytes_per_s!=null){
  if(util.Long)
  m.write_bytes_per_s=util.Long.fromValue(d.write_bytes_per_s,true)
  else if(typeof d.write_bytes_per_s==="string")
  m.write_bytes_per_s=parseInt(d.write_bytes_per_s,10)
  else if(typeof d.write_bytes_per_s==="number")
  m.write_bytes_per_s=d.write_bytes_per_s
  else if(typeof d.write_bytes_per_s==="object")
  m.write_bytes_per_s=new util.LongBits(d.write_bytes_per_s.low>>>0,d.write_bytes_per_s.high>>>0).toNumber(true)
  }
  if(d.io_path!=null){
  m.io_path=String(d.io_path)
  }
  return m
};
CgroupLimits.encode = function CgroupLimits$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.memory_bytes!=null&&Object.hasOwnProperty.call(m,"memory_bytes"))
  w.uint32(8).uint64(m.memory_bytes)
  if(m.cpus!=null&&Object.hasOwnProperty.call(m,"cpus"))
  w.uint32(17).double(m.cpus)
  if(m.processes!=null&&Object.hasOwnProperty.call(m,"processes"))
  w.uint32(24).uint32(m.processes)
  if(m.read_bytes_per_s!=null&&Object.hasOwnProperty.call(m,"read_bytes_per_s"))
  w.uint32(32).uint64(m.read_bytes_per_s)
  if(m.write_bytes_per_s!=null&&Object.hasOwnProperty.call(m,"write_bytes_per_s"))
  w.uint32(40).uint64(m.write_bytes_per_s)
  if(m.io_path!=null&&Object.hasOwnProperty.call(m,"io_path"))
  w.uint32(50).string(m.io_path)
  return w
};
CgroupLimits.decode = function CgroupLimits$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.memory_bytes=r.uint64()
  break
  }
  case 2: {
  m.cpus=r.double()
  break
  }
  case 3: {
  m.processes=r.uint32()
  break
  }
  case 4: {
  m.read_bytes_per_s=r.uint64()
  break
  }
  case 5: {
  m.write_bytes_per_s=r.uint64()
  break
  }
  case 6: {
  m.io_path=r.string()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
CgroupLimits.toObject = function CgroupLimits$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  d.io_path=""
  }
  if(m.memory_bytes!=null&&Object.hasOwnProperty.call(m,"memory_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.memory_bytes=typeof m.memory_bytes==="number"?BigInt(m.memory_bytes):util.Long.fromBits(m.memory_bytes.low>>>0,m.memory_bytes.high>>>0,true).toBigInt()
  else if(typeof m.memory_bytes==="number")
  d.memory_bytes=o.longs===String?String(m.memory_bytes):m.memory_bytes
  else
  d.memory_bytes=o.longs===String?util.Long.prototype.toString.call(m.memory_bytes):o.longs===Number?new util.LongBits(m.memory_bytes.low>>>0,m.memory_bytes.high>>>0).toNumber(true):m.memory_bytes
  if(o.oneofs)
  d._memory_bytes="memory_bytes"
  }
  if(m.cpus!=null&&Object.hasOwnProperty.call(m,"cpus")){
  d.cpus=o.json&&!isFinite(m.cpus)?String(m.cpus):m.cpus
  if(o.oneofs)
  d._cpus="cpus"
  }
  if(m.processes!=null&&Object.hasOwnProperty.call(m,"processes")){
  d.processes=m.processes
  if(o.oneofs)
  d._processes="processes"
  }
  if(m.read_bytes_per_s!=null&&Object.hasOwnProperty.call(m,"read_bytes_per_s")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.read_bytes_per_s=typeof m.read_bytes_per_s==="number"?BigInt(m.read_bytes_per_s):util.Long.fromBits(m.read_bytes_per_s.low>>>0,m.read_bytes_per_s.high>>>0,true).toBigInt()
  else if(typeof m.read_bytes_per_s==="number")
  d.read_bytes_per_s=o.longs===String?String(m.read_bytes_per_s):m.read_bytes_per_s
  else
  d.read_bytes_per_s=o.longs===String?util.Long.prototype.toString.call(m.read_bytes_per_s):o.longs===Number?new util.LongBits(m.read_bytes_per_s.low>>>0,m.read_bytes_per_s.high>>>0).toNumber(true):m.read_bytes_per_s
  if(o.oneofs)
  d._read_bytes_per_s="read_bytes_per_s"
  }
  if(m.write_bytes_per_s!=null&&Object.hasOwnProperty.call(m,"write_bytes_per_s")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.write_bytes_per_s=typeof m.write_bytes_per_s==="number"?BigInt(m.write_bytes_per_s):util.Long.fromBits(m.write_bytes_per_s.low>>>0,m.write_bytes_per_s.high>>>0,true).toBigInt()
  else if(typeof m.write_bytes_per_s==="number")
  d.write_bytes_per_s=o.longs===String?String(m.write_bytes_per_s):m.write_bytes_per_s
  else
  d.write_bytes_per_s=o.longs===String?util.Long.prototype.toString.call(m.write_bytes_per_s):o.longs===Number?new util.LongBits(m.write_bytes_per_s.low>>>0,m.write_bytes_per_s.high>>>0).toNumber(true):m.write_bytes_per_s
  if(o.oneofs)
  d._write_bytes_per_s="write_bytes_per_s"
  }
  if(m.io_path!=null&&Object.hasOwnProperty.call(m,"io_path")){
  d.io_path=m.io_path
  }
  return d
};
}
{
const types = [null, null];
TerminalSize.fromObject = function TerminalSize$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".teleport.v1.TerminalSize: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.columns!=null){
  m.columns=d.columns>>>0
  }
  if(d.rows!=null){
  m.rows=d.rows>>>0
  }
  return m
};
TerminalSize.encode = function TerminalSize$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.columns!=null&&Object.hasOwnProperty.call(m,"columns"))
  w.uint32(8).uint32(m.columns)
  if(m.rows!=null&&Object.hasOwnProperty.call(m,"rows"))
  w.uint32(16).uint32(m.rows)
  return w
};
}
{
const types = [null, null];
Timestamp.fromObject = function Timestamp$fromObject(d,n){
  if(d instanceof this.ctor)
  return d
  if(!util.isObject(d))
  throw TypeError(".google.protobuf.Timestamp: object expected")
  if(n===undefined)n=0
  if(n>util.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var m=new this.ctor
  if(d.seconds!=null){
  if(util.Long)
  m.seconds=util.Long.fromValue(d.seconds,false)
  else if(typeof d.seconds==="string")
  m.seconds=parseInt(d.seconds,10)
  else if(typeof d.seconds==="number")
  m.seconds=d.seconds
  else if(typeof d.seconds==="object")
  m.seconds=new util.LongBits(d.seconds.low>>>0,d.seconds.high>>>0).toNumber()
  }
  if(d.nanos!=null){
  m.nanos=d.nanos|0
  }
  return m
};
Timestamp.encode = function Timestamp$encode(m,w,q){
  if(!w)
  w=Writer.create()
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  if(m.seconds!=null&&Object.hasOwnProperty.call(m,"seconds"))
  w.uint32(8).int64(m.seconds)
  if(m.nanos!=null&&Object.hasOwnProperty.call(m,"nanos"))
  w.uint32(16).int32(m.nanos)
  return w
};
Timestamp.decode = function Timestamp$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.seconds=r.int64()
  break
  }
  case 2: {
  m.nanos=r.int32()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
Timestamp.toObject = function Timestamp$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  if(util.Long){
  var n=new util.Long(0,0,false)
  d.seconds=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.seconds=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  d.nanos=0
  }
  if(m.seconds!=null&&Object.hasOwnProperty.call(m,"seconds")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.seconds=typeof m.seconds==="number"?BigInt(m.seconds):util.Long.fromBits(m.seconds.low>>>0,m.seconds.high>>>0,false).toBigInt()
  else if(typeof m.seconds==="number")
  d.seconds=o.longs===String?String(m.seconds):m.seconds
  else
  d.seconds=o.longs===String?util.Long.prototype.toString.call(m.seconds):o.longs===Number?new util.LongBits(m.seconds.low>>>0,m.seconds.high>>>0).toNumber():m.seconds
  }
  if(m.nanos!=null&&Object.hasOwnProperty.call(m,"nanos")){
  d.nanos=m.nanos
  }
  return d
};
}
{
const types = [null, State, null, null, null, Reason, null, null, null, null, null, Timestamp, Timestamp, Timestamp, null, null, null, null, null, null, null, OutputPolicy, null, null, null, Rlimits, Isolation, null, CgroupLimits, Usage, Timestamp, Timestamp, null, null, null, null, null, null, SentSignal, null, null, null, null, null, null, null, null, null, Placement];
JobStatus.decode = function JobStatus$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m,k,value
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.id=r.string()
  break
  }
  case 2: {
  m.state=r.int32()
  break
  }
  case 3: {
  m.exit_code=r.int32()
  break
  }
  case 4: {
  m.signal=r.string()
  break
  }
  case 5: {
  m.error=r.string()
  break
  }
  case 6: {
  m.reason=r.int32()
  break
  }
  case 7: {
  m.command=r.string()
  break
  }
  case 8: {
  if(!(m.args&&m.args.length))
  m.args=[]
  m.args.push(r.string())
  break
  }
  case 9: {
  m.cwd=r.string()
  break
  }
  case 10: {
  if(m.labels===util.emptyObject)
  m.labels={}
  var c2=r.uint32()+r.pos
  if(c2>r.len)
  throw RangeError("index out of range")
  r.len=c2
  k=""
  value=""
  while(r.pos<c2){
  var tag2=r.uint32()
  switch(tag2>>>3){
  case 1: k=r.string(); break
  case 2:
  value=r.string()
  break
  default:
  r.skipType(tag2&7,n)
  break
  }
  }
  if(r.pos!==c2)
  throw RangeError("index out of range")
  r.len=c
  if(k==="__proto__")
  util.makeProp(m.labels,k)
  m.labels[k]=value
  break
  }
  case 11: {
  m.owner=r.string()
  break
  }
  case 12: {
  m.registered_at=types[11].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 13: {
  m.started_at=types[12].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 14: {
  m.ended_at=types[13].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 15: {
  m.pid=r.uint32()
  break
  }
  case 16: {
  m.stopped_by=r.string()
  break
  }
  case 17: {
  m.timeout_ms=r.uint64()
  break
  }
  case 18: {
  m.stdout_bytes=r.uint64()
  break
  }
  case 19: {
  m.stderr_bytes=r.uint64()
  break
  }
  case 20: {
  m.error_code=r.string()
  break
  }
  case 21: {
  m.max_output_bytes=r.uint64()
  break
  }
  case 22: {
  m.output_policy=r.int32()
  break
  }
  case 23: {
  m.dropped_bytes=r.uint64()
  break
  }
  case 30: {
  m.user=r.string()
  break
  }
  case 31: {
  m.group=r.string()
  break
  }
  case 34: {
  m.rlimits=types[25].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 37: {
  m.isolation=r.int32()
  break
  }
  case 38: {
  m.oom_score_adj=r.int32()
  break
  }
  case 45: {
  m.cgroup_limits=types[28].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 50: {
  m.usage=types[29].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 51: {
  m.term_sent_at=types[30].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 52: {
  m.kill_sent_at=types[31].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 53: {
  m.others_ended=r.uint32()
  break
  }
  case 56: {
  m.others_left=r.uint32()
  break
  }
  case 54: {
  m.paused=r.bool()
  break
  }
  case 55: {
  m.paused_by=r.string()
  break
  }
  case 80: {
  m.started_by=r.string()
  break
  }
  case 81: {
  m.stop_asked_by=r.string()
  break
  }
  case 82: {
  if(!(m.signals&&m.signals.length))
  m.signals=[]
  m.signals.push(types[38].decode(r,r.uint32(),undefined,n+1))
  break
  }
  case 83: {
  m.input=r.bool()
  break
  }
  case 84: {
  m.input_bytes=r.uint64()
  break
  }
  case 85: {
  m.input_closed=r.bool()
  break
  }
  case 90: {
  m.name=r.string()
  break
  }
  case 91: {
  m.terminal=r.bool()
  break
  }
  case 92: {
  m.rerun_of=r.string()
  break
  }
  case 70: {
  m.engine=r.string()
  break
  }
  case 71: {
  m.partition=r.string()
  break
  }
  case 72: {
  m.node_constraint=r.string()
  break
  }
  case 93: {
  m.placement=types[48].decode(r,r.uint32(),undefined,n+1)
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
JobStatus.toObject = function JobStatus$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.arrays||o.defaults){
  d.args=[]
  d.signals=[]
  }
  if(o.objects||o.defaults){
  d.labels={}
  }
  if(o.defaults){
  d.id=""
  d.state=o.enums===String?"STATE_UNSPECIFIED":0
  d.signal=""
  d.error=""
  d.reason=o.enums===String?"REASON_UNSPECIFIED":0
  d.command=""
  d.cwd=""
  d.owner=""
  d.registered_at=null
  d.started_at=null
  d.ended_at=null
  d.pid=0
  d.stopped_by=""
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.timeout_ms=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.timeout_ms=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.stdout_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.stdout_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.stderr_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.stderr_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  d.error_code=""
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.max_output_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.max_output_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  d.output_policy=o.enums===String?"OUTPUT_POLICY_UNSPECIFIED":0
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.dropped_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.dropped_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  d.user=""
  d.group=""
  d.rlimits=null
  d.isolation=o.enums===String?"ISOLATION_UNSPECIFIED":0
  d.cgroup_limits=null
  d.usage=null
  d.term_sent_at=null
  d.kill_sent_at=null
  d.others_ended=0
  d.paused=false
  d.paused_by=""
  d.others_left=0
  d.engine=""
  d.partition=""
  d.node_constraint=""
  d.started_by=""
  d.stop_asked_by=""
  d.input=false
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.input_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.input_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  d.input_closed=false
  d.name=""
  d.terminal=false
  d.rerun_of=""
  d.placement=null
  }
  if(m.id!=null&&Object.hasOwnProperty.call(m,"id")){
  d.id=m.id
  }
  if(m.state!=null&&Object.hasOwnProperty.call(m,"state")){
  d.state=o.enums===String?(types[1].values[m.state]===undefined?m.state:types[1].values[m.state]):m.state
  }
  if(m.exit_code!=null&&Object.hasOwnProperty.call(m,"exit_code")){
  d.exit_code=m.exit_code
  if(o.oneofs)
  d._exit_code="exit_code"
  }
  if(m.signal!=null&&Object.hasOwnProperty.call(m,"signal")){
  d.signal=m.signal
  }
  if(m.error!=null&&Object.hasOwnProperty.call(m,"error")){
  d.error=m.error
  }
  if(m.reason!=null&&Object.hasOwnProperty.call(m,"reason")){
  d.reason=o.enums===String?(types[5].values[m.reason]===undefined?m.reason:types[5].values[m.reason]):m.reason
  }
  if(m.command!=null&&Object.hasOwnProperty.call(m,"command")){
  d.command=m.command
  }
  if(m.args&&m.args.length){
  d.args=[]
  for(var j=0;j<m.args.length;++j){
  d.args[j]=m.args[j]
  }
  }
  if(m.cwd!=null&&Object.hasOwnProperty.call(m,"cwd")){
  d.cwd=m.cwd
  }
  var ks2
  if(m.labels&&(ks2=Object.keys(m.labels)).length){
  d.labels={}
  for(var j=0;j<ks2.length;++j){
  if(ks2[j]==="__proto__")
  util.makeProp(d.labels,ks2[j])
  d.labels[ks2[j]]=m.labels[ks2[j]]
  }
  }
  if(m.owner!=null&&Object.hasOwnProperty.call(m,"owner")){
  d.owner=m.owner
  }
  if(m.registered_at!=null&&Object.hasOwnProperty.call(m,"registered_at")){
  d.registered_at=types[11].toObject(m.registered_at,o,q+1)
  }
  if(m.started_at!=null&&Object.hasOwnProperty.call(m,"started_at")){
  d.started_at=types[12].toObject(m.started_at,o,q+1)
  }
  if(m.ended_at!=null&&Object.hasOwnProperty.call(m,"ended_at")){
  d.ended_at=types[13].toObject(m.ended_at,o,q+1)
  }
  if(m.pid!=null&&Object.hasOwnProperty.call(m,"pid")){
  d.pid=m.pid
  }
  if(m.stopped_by!=null&&Object.hasOwnProperty.call(m,"stopped_by")){
  d.stopped_by=m.stopped_by
  }
  if(m.timeout_ms!=null&&Object.hasOwnProperty.call(m,"timeout_ms")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.timeout_ms=typeof m.timeout_ms==="number"?BigInt(m.timeout_ms):util.Long.fromBits(m.timeout_ms.low>>>0,m.timeout_ms.high>>>0,true).toBigInt()
  else if(typeof m.timeout_ms==="number")
  d.timeout_ms=o.longs===String?String(m.timeout_ms):m.timeout_ms
  else
  d.timeout_ms=o.longs===String?util.Long.prototype.toString.call(m.timeout_ms):o.longs===Number?new util.LongBits(m.timeout_ms.low>>>0,m.timeout_ms.high>>>0).toNumber(true):m.timeout_ms
  }
  if(m.stdout_bytes!=null&&Object.hasOwnProperty.call(m,"stdout_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.stdout_bytes=typeof m.stdout_bytes==="number"?BigInt(m.stdout_bytes):util.Long.fromBits(m.stdout_bytes.low>>>0,m.stdout_bytes.high>>>0,true).toBigInt()
  else if(typeof m.stdout_bytes==="number")
  d.stdout_bytes=o.longs===String?String(m.stdout_bytes):m.stdout_bytes
  else
  d.stdout_bytes=o.longs===String?util.Long.prototype.toString.call(m.stdout_bytes):o.longs===Number?new util.LongBits(m.stdout_bytes.low>>>0,m.stdout_bytes.high>>>0).toNumber(true):m.stdout_bytes
  }
  if(m.stderr_bytes!=null&&Object.hasOwnProperty.call(m,"stderr_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.stderr_bytes=typeof m.stderr_bytes==="number"?BigInt(m.stderr_bytes):util.Long.fromBits(m.stderr_bytes.low>>>0,m.stderr_bytes.high>>>0,true).toBigInt()
  else if(typeof m.stderr_bytes==="number")
  d.stderr_bytes=o.longs===String?String(m.stderr_bytes):m.stderr_bytes
  else
  d.stderr_bytes=o.longs===String?util.Long.prototype.toString.call(m.stderr_bytes):o.longs===Number?new util.LongBits(m.stderr_bytes.low>>>0,m.stderr_bytes.high>>>0).toNumber(true):m.stderr_bytes
  }
  if(m.error_code!=null&&Object.hasOwnProperty.call(m,"error_code")){
  d.error_code=m.error_code
  }
  if(m.max_output_bytes!=null&&Object.hasOwnProperty.call(m,"max_output_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.max_output_bytes=typeof m.max_output_bytes==="number"?BigInt(m.max_output_bytes):util.Long.fromBits(m.max_output_bytes.low>>>0,m.max_output_bytes.high>>>0,true).toBigInt()
  else if(typeof m.max_output_bytes==="number")
  d.max_output_bytes=o.longs===String?String(m.max_output_bytes):m.max_output_bytes
  else
  d.max_output_bytes=o.longs===String?util.Long.prototype.toString.call(m.max_output_bytes):o.longs===Number?new util.LongBits(m.max_output_bytes.low>>>0,m.max_output_bytes.high>>>0).toNumber(true):m.max_output_bytes
  }
  if(m.output_policy!=null&&Object.hasOwnProperty.call(m,"output_policy")){
  d.output_policy=o.enums===String?(types[21].values[m.output_policy]===undefined?m.output_policy:types[21].values[m.output_policy]):m.output_policy
  }
  if(m.dropped_bytes!=null&&Object.hasOwnProperty.call(m,"dropped_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.dropped_bytes=typeof m.dropped_bytes==="number"?BigInt(m.dropped_bytes):util.Long.fromBits(m.dropped_bytes.low>>>0,m.dropped_bytes.high>>>0,true).toBigInt()
  else if(typeof m.dropped_bytes==="number")
  d.dropped_bytes=o.longs===String?String(m.dropped_bytes):m.dropped_bytes
  else
  d.dropped_bytes=o.longs===String?util.Long.prototype.toString.call(m.dropped_bytes):o.longs===Number?new util.LongBits(m.dropped_bytes.low>>>0,m.dropped_bytes.high>>>0).toNumber(true):m.dropped_bytes
  }
  if(m.user!=null&&Object.hasOwnProperty.call(m,"user")){
  d.user=m.user
  }
  if(m.group!=null&&Object.hasOwnProperty.call(m,"group")){
  d.group=m.group
  }
  if(m.rlimits!=null&&Object.hasOwnProperty.call(m,"rlimits")){
  d.rlimits=types[25].toObject(m.rlimits,o,q+1)
  }
  if(m.isolation!=null&&Object.hasOwnProperty.call(m,"isolation")){
  d.isolation=o.enums===String?(types[26].values[m.isolation]===undefined?m.isolation:types[26].values[m.isolation]):m.isolation
  }
  if(m.oom_score_adj!=null&&Object.hasOwnProperty.call(m,"oom_score_adj")){
  d.oom_score_adj=m.oom_score_adj
  if(o.oneofs)
  d._oom_score_adj="oom_score_adj"
  }
  if(m.cgroup_limits!=null&&Object.hasOwnProperty.call(m,"cgroup_limits")){
  d.cgroup_limits=types[28].toObject(m.cgroup_limits,o,q+1)
  }
  if(m.usage!=null&&Object.hasOwnProperty.call(m,"usage")){
  d.usage=types[29].toObject(m.usage,o,q+1)
  }
  if(m.term_sent_at!=null&&Object.hasOwnProperty.call(m,"term_sent_at")){
  d.term_sent_at=types[30].toObject(m.term_sent_at,o,q+1)
  }
  if(m.kill_sent_at!=null&&Object.hasOwnProperty.call(m,"kill_sent_at")){
  d.kill_sent_at=types[31].toObject(m.kill_sent_at,o,q+1)
  }
  if(m.others_ended!=null&&Object.hasOwnProperty.call(m,"others_ended")){
  d.others_ended=m.others_ended
  }
  if(m.paused!=null&&Object.hasOwnProperty.call(m,"paused")){
  d.paused=m.paused
  }
  if(m.paused_by!=null&&Object.hasOwnProperty.call(m,"paused_by")){
  d.paused_by=m.paused_by
  }
  if(m.others_left!=null&&Object.hasOwnProperty.call(m,"others_left")){
  d.others_left=m.others_left
  }
  if(m.engine!=null&&Object.hasOwnProperty.call(m,"engine")){
  d.engine=m.engine
  }
  if(m.partition!=null&&Object.hasOwnProperty.call(m,"partition")){
  d.partition=m.partition
  }
  if(m.node_constraint!=null&&Object.hasOwnProperty.call(m,"node_constraint")){
  d.node_constraint=m.node_constraint
  }
  if(m.started_by!=null&&Object.hasOwnProperty.call(m,"started_by")){
  d.started_by=m.started_by
  }
  if(m.stop_asked_by!=null&&Object.hasOwnProperty.call(m,"stop_asked_by")){
  d.stop_asked_by=m.stop_asked_by
  }
  if(m.signals&&m.signals.length){
  d.signals=[]
  for(var j=0;j<m.signals.length;++j){
  d.signals[j]=types[38].toObject(m.signals[j],o,q+1)
  }
  }
  if(m.input!=null&&Object.hasOwnProperty.call(m,"input")){
  d.input=m.input
  }
  if(m.input_bytes!=null&&Object.hasOwnProperty.call(m,"input_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.input_bytes=typeof m.input_bytes==="number"?BigInt(m.input_bytes):util.Long.fromBits(m.input_bytes.low>>>0,m.input_bytes.high>>>0,true).toBigInt()
  else if(typeof m.input_bytes==="number")
  d.input_bytes=o.longs===String?String(m.input_bytes):m.input_bytes
  else
  d.input_bytes=o.longs===String?util.Long.prototype.toString.call(m.input_bytes):o.longs===Number?new util.LongBits(m.input_bytes.low>>>0,m.input_bytes.high>>>0).toNumber(true):m.input_bytes
  }
  if(m.input_closed!=null&&Object.hasOwnProperty.call(m,"input_closed")){
  d.input_closed=m.input_closed
  }
  if(m.name!=null&&Object.hasOwnProperty.call(m,"name")){
  d.name=m.name
  }
  if(m.terminal!=null&&Object.hasOwnProperty.call(m,"terminal")){
  d.terminal=m.terminal
  }
  if(m.rerun_of!=null&&Object.hasOwnProperty.call(m,"rerun_of")){
  d.rerun_of=m.rerun_of
  }
  if(m.placement!=null&&Object.hasOwnProperty.call(m,"placement")){
  d.placement=types[48].toObject(m.placement,o,q+1)
  }
  return d
};
}
{
const types = [null, Stream, null, Timestamp, null, OutputEnd, null, null];
JobOutput.decode = function JobOutput$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.data=r.bytes()
  break
  }
  case 2: {
  m.stream=r.int32()
  break
  }
  case 3: {
  m.offset=r.uint64()
  break
  }
  case 4: {
  m.time=types[3].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 5: {
  m.cursor=r.string()
  break
  }
  case 6: {
  m.end=types[5].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 7: {
  m.dropped_bytes=r.uint64()
  break
  }
  case 8: {
  m.clock_went_back=r.bool()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
JobOutput.toObject = function JobOutput$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  if(o.bytes===String)d.data=""
  else{
  d.data=[]
  if(o.bytes!==Array)d.data=util.newBuffer(d.data)
  }
  d.stream=o.enums===String?"STREAM_UNSPECIFIED":0
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.offset=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.offset=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  d.time=null
  d.cursor=""
  d.end=null
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.dropped_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.dropped_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  d.clock_went_back=false
  }
  if(m.data!=null&&Object.hasOwnProperty.call(m,"data")){
  d.data=o.bytes===String?util.base64.encode(m.data,0,m.data.length):o.bytes===Array?Array.prototype.slice.call(m.data):m.data
  }
  if(m.stream!=null&&Object.hasOwnProperty.call(m,"stream")){
  d.stream=o.enums===String?(types[1].values[m.stream]===undefined?m.stream:types[1].values[m.stream]):m.stream
  }
  if(m.offset!=null&&Object.hasOwnProperty.call(m,"offset")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.offset=typeof m.offset==="number"?BigInt(m.offset):util.Long.fromBits(m.offset.low>>>0,m.offset.high>>>0,true).toBigInt()
  else if(typeof m.offset==="number")
  d.offset=o.longs===String?String(m.offset):m.offset
  else
  d.offset=o.longs===String?util.Long.prototype.toString.call(m.offset):o.longs===Number?new util.LongBits(m.offset.low>>>0,m.offset.high>>>0).toNumber(true):m.offset
  }
  if(m.time!=null&&Object.hasOwnProperty.call(m,"time")){
  d.time=types[3].toObject(m.time,o,q+1)
  }
  if(m.cursor!=null&&Object.hasOwnProperty.call(m,"cursor")){
  d.cursor=m.cursor
  }
  if(m.end!=null&&Object.hasOwnProperty.call(m,"end")){
  d.end=types[5].toObject(m.end,o,q+1)
  }
  if(m.dropped_bytes!=null&&Object.hasOwnProperty.call(m,"dropped_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.dropped_bytes=typeof m.dropped_bytes==="number"?BigInt(m.dropped_bytes):util.Long.fromBits(m.dropped_bytes.low>>>0,m.dropped_bytes.high>>>0,true).toBigInt()
  else if(typeof m.dropped_bytes==="number")
  d.dropped_bytes=o.longs===String?String(m.dropped_bytes):m.dropped_bytes
  else
  d.dropped_bytes=o.longs===String?util.Long.prototype.toString.call(m.dropped_bytes):o.longs===Number?new util.LongBits(m.dropped_bytes.low>>>0,m.dropped_bytes.high>>>0).toNumber(true):m.dropped_bytes
  }
  if(m.clock_went_back!=null&&Object.hasOwnProperty.call(m,"clock_went_back")){
  d.clock_went_back=m.clock_went_back
  }
  return d
};
}
{
const types = [null, null, null];
InputResponse.decode = function InputResponse$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.input_bytes=r.uint64()
  break
  }
  case 2: {
  m.taken_bytes=r.uint64()
  break
  }
  case 3: {
  m.input_closed=r.bool()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
InputResponse.toObject = function InputResponse$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.input_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.input_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.taken_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.taken_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  d.input_closed=false
  }
  if(m.input_bytes!=null&&Object.hasOwnProperty.call(m,"input_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.input_bytes=typeof m.input_bytes==="number"?BigInt(m.input_bytes):util.Long.fromBits(m.input_bytes.low>>>0,m.input_bytes.high>>>0,true).toBigInt()
  else if(typeof m.input_bytes==="number")
  d.input_bytes=o.longs===String?String(m.input_bytes):m.input_bytes
  else
  d.input_bytes=o.longs===String?util.Long.prototype.toString.call(m.input_bytes):o.longs===Number?new util.LongBits(m.input_bytes.low>>>0,m.input_bytes.high>>>0).toNumber(true):m.input_bytes
  }
  if(m.taken_bytes!=null&&Object.hasOwnProperty.call(m,"taken_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.taken_bytes=typeof m.taken_bytes==="number"?BigInt(m.taken_bytes):util.Long.fromBits(m.taken_bytes.low>>>0,m.taken_bytes.high>>>0,true).toBigInt()
  else if(typeof m.taken_bytes==="number")
  d.taken_bytes=o.longs===String?String(m.taken_bytes):m.taken_bytes
  else
  d.taken_bytes=o.longs===String?util.Long.prototype.toString.call(m.taken_bytes):o.longs===Number?new util.LongBits(m.taken_bytes.low>>>0,m.taken_bytes.high>>>0).toNumber(true):m.taken_bytes
  }
  if(m.input_closed!=null&&Object.hasOwnProperty.call(m,"input_closed")){
  d.input_closed=m.input_closed
  }
  return d
};
}
{
const types = [JobStatus, null];
ListResponse.decode = function ListResponse$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  if(!(m.jobs&&m.jobs.length))
  m.jobs=[]
  m.jobs.push(types[0].decode(r,r.uint32(),undefined,n+1))
  break
  }
  case 2: {
  m.next_page_token=r.string()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
ListResponse.toObject = function ListResponse$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.arrays||o.defaults){
  d.jobs=[]
  }
  if(o.defaults){
  d.next_page_token=""
  }
  if(m.jobs&&m.jobs.length){
  d.jobs=[]
  for(var j=0;j<m.jobs.length;++j){
  d.jobs[j]=types[0].toObject(m.jobs[j],o,q+1)
  }
  }
  if(m.next_page_token!=null&&Object.hasOwnProperty.call(m,"next_page_token")){
  d.next_page_token=m.next_page_token
  }
  return d
};
}
{
const types = [];
RemoveResponse.decode = function RemoveResponse$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
RemoveResponse.toObject = function (){
  return {}
};
}
{
const types = [JobEventKind, JobStatus, Timestamp, null, Reason, null];
JobEvent.decode = function JobEvent$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.kind=r.int32()
  break
  }
  case 2: {
  m.job=types[1].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 3: {
  m.time=types[2].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 4: {
  m.token=r.string()
  break
  }
  case 5: {
  m.reason=r.int32()
  break
  }
  case 6: {
  m.by=r.string()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
JobEvent.toObject = function JobEvent$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  d.kind=o.enums===String?"JOB_EVENT_KIND_UNSPECIFIED":0
  d.job=null
  d.time=null
  d.token=""
  d.reason=o.enums===String?"REASON_UNSPECIFIED":0
  d.by=""
  }
  if(m.kind!=null&&Object.hasOwnProperty.call(m,"kind")){
  d.kind=o.enums===String?(types[0].values[m.kind]===undefined?m.kind:types[0].values[m.kind]):m.kind
  }
  if(m.job!=null&&Object.hasOwnProperty.call(m,"job")){
  d.job=types[1].toObject(m.job,o,q+1)
  }
  if(m.time!=null&&Object.hasOwnProperty.call(m,"time")){
  d.time=types[2].toObject(m.time,o,q+1)
  }
  if(m.token!=null&&Object.hasOwnProperty.call(m,"token")){
  d.token=m.token
  }
  if(m.reason!=null&&Object.hasOwnProperty.call(m,"reason")){
  d.reason=o.enums===String?(types[4].values[m.reason]===undefined?m.reason:types[4].values[m.reason]):m.reason
  }
  if(m.by!=null&&Object.hasOwnProperty.call(m,"by")){
  d.by=m.by
  }
  return d
};
}
{
const types = [null, null, null, null, null, Timestamp, null];
WhoAmIResponse.decode = function WhoAmIResponse$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.user=r.string()
  break
  }
  case 2: {
  if(!(m.roles&&m.roles.length))
  m.roles=[]
  m.roles.push(r.string())
  break
  }
  case 3: {
  if(!(m.known_roles&&m.known_roles.length))
  m.known_roles=[]
  m.known_roles.push(r.string())
  break
  }
  case 4: {
  m.fingerprint=r.string()
  break
  }
  case 5: {
  m.serial_number=r.string()
  break
  }
  case 6: {
  m.not_after=types[5].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 7: {
  if(!(m.rules&&m.rules.length))
  m.rules=[]
  m.rules.push(r.string())
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
WhoAmIResponse.toObject = function WhoAmIResponse$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.arrays||o.defaults){
  d.roles=[]
  d.known_roles=[]
  d.rules=[]
  }
  if(o.defaults){
  d.user=""
  d.fingerprint=""
  d.serial_number=""
  d.not_after=null
  }
  if(m.user!=null&&Object.hasOwnProperty.call(m,"user")){
  d.user=m.user
  }
  if(m.roles&&m.roles.length){
  d.roles=[]
  for(var j=0;j<m.roles.length;++j){
  d.roles[j]=m.roles[j]
  }
  }
  if(m.known_roles&&m.known_roles.length){
  d.known_roles=[]
  for(var j=0;j<m.known_roles.length;++j){
  d.known_roles[j]=m.known_roles[j]
  }
  }
  if(m.fingerprint!=null&&Object.hasOwnProperty.call(m,"fingerprint")){
  d.fingerprint=m.fingerprint
  }
  if(m.serial_number!=null&&Object.hasOwnProperty.call(m,"serial_number")){
  d.serial_number=m.serial_number
  }
  if(m.not_after!=null&&Object.hasOwnProperty.call(m,"not_after")){
  d.not_after=types[5].toObject(m.not_after,o,q+1)
  }
  if(m.rules&&m.rules.length){
  d.rules=[]
  for(var j=0;j<m.rules.length;++j){
  d.rules[j]=m.rules[j]
  }
  }
  return d
};
}
{
const types = [null, null, null];
CanIResponse.decode = function CanIResponse$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.allowed=r.bool()
  break
  }
  case 2: {
  m.rule=r.string()
  break
  }
  case 3: {
  m.code=r.string()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
CanIResponse.toObject = function CanIResponse$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  d.allowed=false
  d.rule=""
  d.code=""
  }
  if(m.allowed!=null&&Object.hasOwnProperty.call(m,"allowed")){
  d.allowed=m.allowed
  }
  if(m.rule!=null&&Object.hasOwnProperty.call(m,"rule")){
  d.rule=m.rule
  }
  if(m.code!=null&&Object.hasOwnProperty.call(m,"code")){
  d.code=m.code
  }
  return d
};
}
{
const types = [null, null, Timestamp, null, ServerLimit, IsolationSupport, null, null, null, null, null, null, null, null];
InfoResponse.decode = function InfoResponse$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.version=r.string()
  break
  }
  case 2: {
  m.runtime_version=r.string()
  break
  }
  case 3: {
  m.started_at=types[2].decode(r,r.uint32(),undefined,n+1)
  break
  }
  case 14: {
  m.uptime_ms=r.uint64()
  break
  }
  case 4: {
  if(!(m.limits&&m.limits.length))
  m.limits=[]
  m.limits.push(types[4].decode(r,r.uint32(),undefined,n+1))
  break
  }
  case 5: {
  if(!(m.isolations&&m.isolations.length))
  m.isolations=[]
  m.isolations.push(types[5].decode(r,r.uint32(),undefined,n+1))
  break
  }
  case 6: {
  m.has_cgroups=r.bool()
  break
  }
  case 7: {
  if(!(m.cgroup_controllers&&m.cgroup_controllers.length))
  m.cgroup_controllers=[]
  m.cgroup_controllers.push(r.string())
  break
  }
  case 8: {
  m.cgroup_text=r.string()
  break
  }
  case 9: {
  m.disk_bytes=r.uint64()
  break
  }
  case 10: {
  m.max_disk_bytes=r.uint64()
  break
  }
  case 11: {
  m.free_disk_bytes=r.uint64()
  break
  }
  case 12: {
  m.jobs=r.uint64()
  break
  }
  case 13: {
  m.running_jobs=r.uint64()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
InfoResponse.toObject = function InfoResponse$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.arrays||o.defaults){
  d.limits=[]
  d.isolations=[]
  d.cgroup_controllers=[]
  }
  if(o.defaults){
  d.version=""
  d.runtime_version=""
  d.started_at=null
  d.has_cgroups=false
  d.cgroup_text=""
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.disk_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.disk_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.uptime_ms=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.uptime_ms=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  }
  if(m.version!=null&&Object.hasOwnProperty.call(m,"version")){
  d.version=m.version
  }
  if(m.runtime_version!=null&&Object.hasOwnProperty.call(m,"runtime_version")){
  d.runtime_version=m.runtime_version
  }
  if(m.started_at!=null&&Object.hasOwnProperty.call(m,"started_at")){
  d.started_at=types[2].toObject(m.started_at,o,q+1)
  }
  if(m.limits&&m.limits.length){
  d.limits=[]
  for(var j=0;j<m.limits.length;++j){
  d.limits[j]=types[4].toObject(m.limits[j],o,q+1)
  }
  }
  if(m.isolations&&m.isolations.length){
  d.isolations=[]
  for(var j=0;j<m.isolations.length;++j){
  d.isolations[j]=types[5].toObject(m.isolations[j],o,q+1)
  }
  }
  if(m.has_cgroups!=null&&Object.hasOwnProperty.call(m,"has_cgroups")){
  d.has_cgroups=m.has_cgroups
  }
  if(m.cgroup_controllers&&m.cgroup_controllers.length){
  d.cgroup_controllers=[]
  for(var j=0;j<m.cgroup_controllers.length;++j){
  d.cgroup_controllers[j]=m.cgroup_controllers[j]
  }
  }
  if(m.cgroup_text!=null&&Object.hasOwnProperty.call(m,"cgroup_text")){
  d.cgroup_text=m.cgroup_text
  }
  if(m.disk_bytes!=null&&Object.hasOwnProperty.call(m,"disk_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.disk_bytes=typeof m.disk_bytes==="number"?BigInt(m.disk_bytes):util.Long.fromBits(m.disk_bytes.low>>>0,m.disk_bytes.high>>>0,true).toBigInt()
  else if(typeof m.disk_bytes==="number")
  d.disk_bytes=o.longs===String?String(m.disk_bytes):m.disk_bytes
  else
  d.disk_bytes=o.longs===String?util.Long.prototype.toString.call(m.disk_bytes):o.longs===Number?new util.LongBits(m.disk_bytes.low>>>0,m.disk_bytes.high>>>0).toNumber(true):m.disk_bytes
  }
  if(m.max_disk_bytes!=null&&Object.hasOwnProperty.call(m,"max_disk_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.max_disk_bytes=typeof m.max_disk_bytes==="number"?BigInt(m.max_disk_bytes):util.Long.fromBits(m.max_disk_bytes.low>>>0,m.max_disk_bytes.high>>>0,true).toBigInt()
  else if(typeof m.max_disk_bytes==="number")
  d.max_disk_bytes=o.longs===String?String(m.max_disk_bytes):m.max_disk_bytes
  else
  d.max_disk_bytes=o.longs===String?util.Long.prototype.toString.call(m.max_disk_bytes):o.longs===Number?new util.LongBits(m.max_disk_bytes.low>>>0,m.max_disk_bytes.high>>>0).toNumber(true):m.max_disk_bytes
  if(o.oneofs)
  d._max_disk_bytes="max_disk_bytes"
  }
  if(m.free_disk_bytes!=null&&Object.hasOwnProperty.call(m,"free_disk_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.free_disk_bytes=typeof m.free_disk_bytes==="number"?BigInt(m.free_disk_bytes):util.Long.fromBits(m.free_disk_bytes.low>>>0,m.free_disk_bytes.high>>>0,true).toBigInt()
  else if(typeof m.free_disk_bytes==="number")
  d.free_disk_bytes=o.longs===String?String(m.free_disk_bytes):m.free_disk_bytes
  else
  d.free_disk_bytes=o.longs===String?util.Long.prototype.toString.call(m.free_disk_bytes):o.longs===Number?new util.LongBits(m.free_disk_bytes.low>>>0,m.free_disk_bytes.high>>>0).toNumber(true):m.free_disk_bytes
  if(o.oneofs)
  d._free_disk_bytes="free_disk_bytes"
  }
  if(m.jobs!=null&&Object.hasOwnProperty.call(m,"jobs")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.jobs=typeof m.jobs==="number"?BigInt(m.jobs):util.Long.fromBits(m.jobs.low>>>0,m.jobs.high>>>0,true).toBigInt()
  else if(typeof m.jobs==="number")
  d.jobs=o.longs===String?String(m.jobs):m.jobs
  else
  d.jobs=o.longs===String?util.Long.prototype.toString.call(m.jobs):o.longs===Number?new util.LongBits(m.jobs.low>>>0,m.jobs.high>>>0).toNumber(true):m.jobs
  if(o.oneofs)
  d._jobs="jobs"
  }
  if(m.running_jobs!=null&&Object.hasOwnProperty.call(m,"running_jobs")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.running_jobs=typeof m.running_jobs==="number"?BigInt(m.running_jobs):util.Long.fromBits(m.running_jobs.low>>>0,m.running_jobs.high>>>0,true).toBigInt()
  else if(typeof m.running_jobs==="number")
  d.running_jobs=o.longs===String?String(m.running_jobs):m.running_jobs
  else
  d.running_jobs=o.longs===String?util.Long.prototype.toString.call(m.running_jobs):o.longs===Number?new util.LongBits(m.running_jobs.low>>>0,m.running_jobs.high>>>0).toNumber(true):m.running_jobs
  if(o.oneofs)
  d._running_jobs="running_jobs"
  }
  if(m.uptime_ms!=null&&Object.hasOwnProperty.call(m,"uptime_ms")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.uptime_ms=typeof m.uptime_ms==="number"?BigInt(m.uptime_ms):util.Long.fromBits(m.uptime_ms.low>>>0,m.uptime_ms.high>>>0,true).toBigInt()
  else if(typeof m.uptime_ms==="number")
  d.uptime_ms=o.longs===String?String(m.uptime_ms):m.uptime_ms
  else
  d.uptime_ms=o.longs===String?util.Long.prototype.toString.call(m.uptime_ms):o.longs===Number?new util.LongBits(m.uptime_ms.low>>>0,m.uptime_ms.high>>>0).toNumber(true):m.uptime_ms
  }
  return d
};
}
{
const types = [null, null, UsageSource, null, null, UsageSource, null, null];
Usage.decode = function Usage$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.cpu_user_us=r.uint64()
  break
  }
  case 2: {
  m.cpu_system_us=r.uint64()
  break
  }
  case 3: {
  m.cpu_source=r.int32()
  break
  }
  case 4: {
  m.memory_bytes=r.uint64()
  break
  }
  case 5: {
  m.peak_memory_bytes=r.uint64()
  break
  }
  case 6: {
  m.memory_source=r.int32()
  break
  }
  case 7: {
  m.processes=r.uint32()
  break
  }
  case 8: {
  m.oom_kills=r.uint32()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
Usage.toObject = function Usage$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  d.cpu_source=o.enums===String?"USAGE_SOURCE_UNSPECIFIED":0
  d.memory_source=o.enums===String?"USAGE_SOURCE_UNSPECIFIED":0
  }
  if(m.cpu_user_us!=null&&Object.hasOwnProperty.call(m,"cpu_user_us")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.cpu_user_us=typeof m.cpu_user_us==="number"?BigInt(m.cpu_user_us):util.Long.fromBits(m.cpu_user_us.low>>>0,m.cpu_user_us.high>>>0,true).toBigInt()
  else if(typeof m.cpu_user_us==="number")
  d.cpu_user_us=o.longs===String?String(m.cpu_user_us):m.cpu_user_us
  else
  d.cpu_user_us=o.longs===String?util.Long.prototype.toString.call(m.cpu_user_us):o.longs===Number?new util.LongBits(m.cpu_user_us.low>>>0,m.cpu_user_us.high>>>0).toNumber(true):m.cpu_user_us
  if(o.oneofs)
  d._cpu_user_us="cpu_user_us"
  }
  if(m.cpu_system_us!=null&&Object.hasOwnProperty.call(m,"cpu_system_us")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.cpu_system_us=typeof m.cpu_system_us==="number"?BigInt(m.cpu_system_us):util.Long.fromBits(m.cpu_system_us.low>>>0,m.cpu_system_us.high>>>0,true).toBigInt()
  else if(typeof m.cpu_system_us==="number")
  d.cpu_system_us=o.longs===String?String(m.cpu_system_us):m.cpu_system_us
  else
  d.cpu_system_us=o.longs===String?util.Long.prototype.toString.call(m.cpu_system_us):o.longs===Number?new util.LongBits(m.cpu_system_us.low>>>0,m.cpu_system_us.high>>>0).toNumber(true):m.cpu_system_us
  if(o.oneofs)
  d._cpu_system_us="cpu_system_us"
  }
  if(m.cpu_source!=null&&Object.hasOwnProperty.call(m,"cpu_source")){
  d.cpu_source=o.enums===String?(types[2].values[m.cpu_source]===undefined?m.cpu_source:types[2].values[m.cpu_source]):m.cpu_source
  }
  if(m.memory_bytes!=null&&Object.hasOwnProperty.call(m,"memory_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.memory_bytes=typeof m.memory_bytes==="number"?BigInt(m.memory_bytes):util.Long.fromBits(m.memory_bytes.low>>>0,m.memory_bytes.high>>>0,true).toBigInt()
  else if(typeof m.memory_bytes==="number")
  d.memory_bytes=o.longs===String?String(m.memory_bytes):m.memory_bytes
  else
  d.memory_bytes=o.longs===String?util.Long.prototype.toString.call(m.memory_bytes):o.longs===Number?new util.LongBits(m.memory_bytes.low>>>0,m.memory_bytes.high>>>0).toNumber(true):m.memory_bytes
  if(o.oneofs)
  d._memory_bytes="memory_bytes"
  }
  if(m.peak_memory_bytes!=null&&Object.hasOwnProperty.call(m,"peak_memory_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.peak_memory_bytes=typeof m.peak_memory_bytes==="number"?BigInt(m.peak_memory_bytes):util.Long.fromBits(m.peak_memory_bytes.low>>>0,m.peak_memory_bytes.high>>>0,true).toBigInt()
  else if(typeof m.peak_memory_bytes==="number")
  d.peak_memory_bytes=o.longs===String?String(m.peak_memory_bytes):m.peak_memory_bytes
  else
  d.peak_memory_bytes=o.longs===String?util.Long.prototype.toString.call(m.peak_memory_bytes):o.longs===Number?new util.LongBits(m.peak_memory_bytes.low>>>0,m.peak_memory_bytes.high>>>0).toNumber(true):m.peak_memory_bytes
  if(o.oneofs)
  d._peak_memory_bytes="peak_memory_bytes"
  }
  if(m.memory_source!=null&&Object.hasOwnProperty.call(m,"memory_source")){
  d.memory_source=o.enums===String?(types[5].values[m.memory_source]===undefined?m.memory_source:types[5].values[m.memory_source]):m.memory_source
  }
  if(m.processes!=null&&Object.hasOwnProperty.call(m,"processes")){
  d.processes=m.processes
  if(o.oneofs)
  d._processes="processes"
  }
  if(m.oom_kills!=null&&Object.hasOwnProperty.call(m,"oom_kills")){
  d.oom_kills=m.oom_kills
  if(o.oneofs)
  d._oom_kills="oom_kills"
  }
  return d
};
}
{
const types = [null, null, Timestamp];
SentSignal.decode = function SentSignal$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.by=r.string()
  break
  }
  case 2: {
  m.signal=r.string()
  break
  }
  case 3: {
  m.at=types[2].decode(r,r.uint32(),undefined,n+1)
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
SentSignal.toObject = function SentSignal$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  d.by=""
  d.signal=""
  d.at=null
  }
  if(m.by!=null&&Object.hasOwnProperty.call(m,"by")){
  d.by=m.by
  }
  if(m.signal!=null&&Object.hasOwnProperty.call(m,"signal")){
  d.signal=m.signal
  }
  if(m.at!=null&&Object.hasOwnProperty.call(m,"at")){
  d.at=types[2].toObject(m.at,o,q+1)
  }
  return d
};
}
{
const types = [null, null, null, Timestamp];
Placement.decode = function Placement$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.handle=r.string()
  break
  }
  case 2: {
  m.node=r.string()
  break
  }
  case 3: {
  m.waits_for=r.string()
  break
  }
  case 4: {
  m.unreachable_since=types[3].decode(r,r.uint32(),undefined,n+1)
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
Placement.toObject = function Placement$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  d.handle=""
  d.node=""
  d.waits_for=""
  d.unreachable_since=null
  }
  if(m.handle!=null&&Object.hasOwnProperty.call(m,"handle")){
  d.handle=m.handle
  }
  if(m.node!=null&&Object.hasOwnProperty.call(m,"node")){
  d.node=m.node
  }
  if(m.waits_for!=null&&Object.hasOwnProperty.call(m,"waits_for")){
  d.waits_for=m.waits_for
  }
  if(m.unreachable_since!=null&&Object.hasOwnProperty.call(m,"unreachable_since")){
  d.unreachable_since=types[3].toObject(m.unreachable_since,o,q+1)
  }
  return d
};
}
{
const types = [null, null, null, null, null, JobStatus];
OutputEnd.decode = function OutputEnd$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.stdout_bytes=r.uint64()
  break
  }
  case 2: {
  m.stderr_bytes=r.uint64()
  break
  }
  case 3: {
  m.dropped_bytes=r.uint64()
  break
  }
  case 4: {
  m.stdout_sha256=r.bytes()
  break
  }
  case 5: {
  m.stderr_sha256=r.bytes()
  break
  }
  case 6: {
  m.status=types[5].decode(r,r.uint32(),undefined,n+1)
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
OutputEnd.toObject = function OutputEnd$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.stdout_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.stdout_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.stderr_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.stderr_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.dropped_bytes=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.dropped_bytes=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  if(o.bytes===String)d.stdout_sha256=""
  else{
  d.stdout_sha256=[]
  if(o.bytes!==Array)d.stdout_sha256=util.newBuffer(d.stdout_sha256)
  }
  if(o.bytes===String)d.stderr_sha256=""
  else{
  d.stderr_sha256=[]
  if(o.bytes!==Array)d.stderr_sha256=util.newBuffer(d.stderr_sha256)
  }
  d.status=null
  }
  if(m.stdout_bytes!=null&&Object.hasOwnProperty.call(m,"stdout_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.stdout_bytes=typeof m.stdout_bytes==="number"?BigInt(m.stdout_bytes):util.Long.fromBits(m.stdout_bytes.low>>>0,m.stdout_bytes.high>>>0,true).toBigInt()
  else if(typeof m.stdout_bytes==="number")
  d.stdout_bytes=o.longs===String?String(m.stdout_bytes):m.stdout_bytes
  else
  d.stdout_bytes=o.longs===String?util.Long.prototype.toString.call(m.stdout_bytes):o.longs===Number?new util.LongBits(m.stdout_bytes.low>>>0,m.stdout_bytes.high>>>0).toNumber(true):m.stdout_bytes
  }
  if(m.stderr_bytes!=null&&Object.hasOwnProperty.call(m,"stderr_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.stderr_bytes=typeof m.stderr_bytes==="number"?BigInt(m.stderr_bytes):util.Long.fromBits(m.stderr_bytes.low>>>0,m.stderr_bytes.high>>>0,true).toBigInt()
  else if(typeof m.stderr_bytes==="number")
  d.stderr_bytes=o.longs===String?String(m.stderr_bytes):m.stderr_bytes
  else
  d.stderr_bytes=o.longs===String?util.Long.prototype.toString.call(m.stderr_bytes):o.longs===Number?new util.LongBits(m.stderr_bytes.low>>>0,m.stderr_bytes.high>>>0).toNumber(true):m.stderr_bytes
  }
  if(m.dropped_bytes!=null&&Object.hasOwnProperty.call(m,"dropped_bytes")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.dropped_bytes=typeof m.dropped_bytes==="number"?BigInt(m.dropped_bytes):util.Long.fromBits(m.dropped_bytes.low>>>0,m.dropped_bytes.high>>>0,true).toBigInt()
  else if(typeof m.dropped_bytes==="number")
  d.dropped_bytes=o.longs===String?String(m.dropped_bytes):m.dropped_bytes
  else
  d.dropped_bytes=o.longs===String?util.Long.prototype.toString.call(m.dropped_bytes):o.longs===Number?new util.LongBits(m.dropped_bytes.low>>>0,m.dropped_bytes.high>>>0).toNumber(true):m.dropped_bytes
  }
  if(m.stdout_sha256!=null&&Object.hasOwnProperty.call(m,"stdout_sha256")){
  d.stdout_sha256=o.bytes===String?util.base64.encode(m.stdout_sha256,0,m.stdout_sha256.length):o.bytes===Array?Array.prototype.slice.call(m.stdout_sha256):m.stdout_sha256
  }
  if(m.stderr_sha256!=null&&Object.hasOwnProperty.call(m,"stderr_sha256")){
  d.stderr_sha256=o.bytes===String?util.base64.encode(m.stderr_sha256,0,m.stderr_sha256.length):o.bytes===Array?Array.prototype.slice.call(m.stderr_sha256):m.stderr_sha256
  }
  if(m.status!=null&&Object.hasOwnProperty.call(m,"status")){
  d.status=types[5].toObject(m.status,o,q+1)
  }
  return d
};
}
{
const types = [null, null];
ServerLimit.decode = function ServerLimit$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.name=r.string()
  break
  }
  case 2: {
  m.value=r.uint64()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
ServerLimit.toObject = function ServerLimit$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  d.name=""
  if(util.Long){
  var n=new util.Long(0,0,true)
  d.value=o.longs===String?n.toString():o.longs===Number?n.toNumber():typeof BigInt!=="undefined"&&o.longs===BigInt?n.toBigInt():n
  }else
  d.value=o.longs===String?"0":typeof BigInt!=="undefined"&&o.longs===BigInt?BigInt("0"):0
  }
  if(m.name!=null&&Object.hasOwnProperty.call(m,"name")){
  d.name=m.name
  }
  if(m.value!=null&&Object.hasOwnProperty.call(m,"value")){
  if(typeof BigInt!=="undefined"&&o.longs===BigInt)
  d.value=typeof m.value==="number"?BigInt(m.value):util.Long.fromBits(m.value.low>>>0,m.value.high>>>0,true).toBigInt()
  else if(typeof m.value==="number")
  d.value=o.longs===String?String(m.value):m.value
  else
  d.value=o.longs===String?util.Long.prototype.toString.call(m.value):o.longs===Number?new util.LongBits(m.value.low>>>0,m.value.high>>>0).toNumber(true):m.value
  }
  return d
};
}
{
const types = [Isolation, null];
IsolationSupport.decode = function IsolationSupport$decode(r,l,e,n){
  if(!(r instanceof Reader))
  r=Reader.create(r)
  if(n===undefined)n=0
  if(n>Reader.recursionLimit)
  throw Error("maximum nesting depth exceeded")
  var c,m
  if(l===undefined)
  c=r.len
  else{
  c=r.pos+l
  if(c>r.len)
  throw RangeError("index out of range")
  l=r.len
  r.len=c
  }
  m=new this.ctor
  while(r.pos<c){
  var t=r.uint32()
  if(t===e)
  break
  switch(t>>>3){
  case 1: {
  m.isolation=r.int32()
  break
  }
  case 2: {
  m.unavailable=r.string()
  break
  }
  default:
  r.skipType(t&7,n)
  break
  }
  }
  if(l!==undefined){
  if(r.pos!==c)
  throw RangeError("index out of range")
  r.len=l
  }
  return m
};
IsolationSupport.toObject = function IsolationSupport$toObject(m,o,q){
  if(!o)
  o={}
  if(q===undefined)q=0
  if(q>util.recursionLimit)
  throw Error("max depth exceeded")
  var d={}
  if(o.defaults){
  d.isolation=o.enums===String?"ISOLATION_UNSPECIFIED":0
  d.unavailable=""
  }
  if(m.isolation!=null&&Object.hasOwnProperty.call(m,"isolation")){
  d.isolation=o.enums===String?(types[0].values[m.isolation]===undefined?m.isolation:types[0].values[m.isolation]):m.isolation
  }
  if(m.unavailable!=null&&Object.hasOwnProperty.call(m,"unavailable")){
  d.unavailable=m.unavailable
  }
  return d
};
}
return {
Register: { request: JobRequest, response: JobStatus, requestStream: false, responseStream: false },
Start: { request: StartRequest, response: JobStatus, requestStream: false, responseStream: true },
StatusStream: { request: StatusStreamRequest, response: JobStatus, requestStream: false, responseStream: true },
Status: { request: StatusRequest, response: JobStatus, requestStream: false, responseStream: false },
Stop: { request: StopRequest, response: JobStatus, requestStream: false, responseStream: false },
GetOutput: { request: GetOutputRequest, response: JobOutput, requestStream: false, responseStream: true },
Signal: { request: SignalRequest, response: JobStatus, requestStream: false, responseStream: false },
Input: { request: InputRequest, response: InputResponse, requestStream: true, responseStream: false },
Pause: { request: PauseRequest, response: JobStatus, requestStream: false, responseStream: false },
Resume: { request: ResumeRequest, response: JobStatus, requestStream: false, responseStream: false },
Resize: { request: ResizeRequest, response: JobStatus, requestStream: false, responseStream: false },
List: { request: ListRequest, response: ListResponse, requestStream: false, responseStream: false },
Remove: { request: RemoveRequest, response: RemoveResponse, requestStream: false, responseStream: false },
WatchJobs: { request: WatchJobsRequest, response: JobEvent, requestStream: false, responseStream: true },
WhoAmI: { request: WhoAmIRequest, response: WhoAmIResponse, requestStream: false, responseStream: false },
CanI: { request: CanIRequest, response: CanIResponse, requestStream: false, responseStream: false },
Info: { request: InfoRequest, response: InfoResponse, requestStream: false, responseStream: false },
};
}
