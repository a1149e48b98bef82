/**
 * The parts of grpc-js that a client uses. The package itself also loads its server and other ways to balance load, and
 * start-up time counts.
 *
 * Source: @grpc/grpc-js/build/src/index.js, which sets the same parts up.
 */
// The first, as in the package itself: the modules need each other, and work only in this order.
import "@grpc/grpc-js/build/src/channel.js";
import { setup as setUpPickFirst } from "@grpc/grpc-js/build/src/load-balancer-pick-first.js";
import { setup as setUpDns } from "@grpc/grpc-js/build/src/resolver-dns.js";

export { ChannelCredentials } from "@grpc/grpc-js/build/src/channel-credentials.js";
export { type CallOptions, Client } from "@grpc/grpc-js/build/src/client.js";
export { ConnectivityState } from "@grpc/grpc-js/build/src/connectivity-state.js";
export { Metadata } from "@grpc/grpc-js/build/src/metadata.js";

// A host that is an IP address has this resolver too.
setUpDns();
setUpPickFirst();
