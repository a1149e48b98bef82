// Peer is a server and a client made with grpc-go, to compare with the benchmark of teleportd.
//
//	peer server -listen HOST:PORT -certs DIR [-chunk BYTES]
//	peer client -address HOST:PORT -certs DIR [-identity NAME] [-id JOB] [-calls N] [-concurrency N]
//
// The server answers teleport.v1.JobWorker/Status with a short status. It answers GetOutput with as many bytes, made in
// memory, as the id of the job says. The client measures Status one call at a time and many at once, and then one
// GetOutput to its end. It works with this server and with teleportd.
//
// Messages are encoded by hand, because only their field 1 is used: no code generator is needed.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/binary"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// rawCodec sends and receives messages as bytes.
type rawCodec struct{}

func (rawCodec) Marshal(v any) ([]byte, error) { return *v.(*[]byte), nil }
func (rawCodec) Unmarshal(b []byte, v any) error {
	*v.(*[]byte) = append([]byte(nil), b...)
	return nil
}
func (rawCodec) Name() string { return "proto" }

// field1 encodes bytes or a string as field 1 of a message.
func field1(b []byte) []byte {
	out := append([]byte{0x0a}, binary.AppendUvarint(nil, uint64(len(b)))...)
	return append(out, b...)
}

// dataLength returns the length of field 1 when it is the first field and holds bytes, and 0 otherwise.
func dataLength(m []byte) int {
	if len(m) == 0 || m[0] != 0x0a {
		return 0
	}
	n, _ := binary.Uvarint(m[1:])
	return int(n)
}

// tlsConfig reads the certificates of a server or a client from a certificate directory.
func tlsConfig(dir, name string) *tls.Config {
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil {
		log.Fatal(err)
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(ca)
	pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
	if err != nil {
		log.Fatal(err)
	}
	return &tls.Config{Certificates: []tls.Certificate{pair}, RootCAs: pool, ClientCAs: pool,
		ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS13}
}

// serve listens and answers calls until the process ends.
func serve(listen, certs string, chunk int) {
	status := func(_ any, ctx context.Context, dec func(any) error, _ grpc.UnaryServerInterceptor) (any, error) {
		var in []byte
		if err := dec(&in); err != nil {
			return nil, err
		}
		out := field1([]byte("peer"))
		return &out, nil
	}
	output := func(_ any, s grpc.ServerStream) error {
		var in []byte
		if err := s.RecvMsg(&in); err != nil {
			return err
		}
		n := dataLength(in)
		total, err := strconv.Atoi(string(in[len(in)-n:]))
		if err != nil {
			return err
		}
		data := make([]byte, chunk)
		for total > 0 {
			size := chunk
			if total < size {
				size = total
			}
			m := field1(data[:size])
			if err := s.SendMsg(&m); err != nil {
				return err
			}
			total -= size
		}
		return nil
	}
	l, err := net.Listen("tcp", listen)
	if err != nil {
		log.Fatal(err)
	}
	s := grpc.NewServer(grpc.Creds(credentials.NewTLS(tlsConfig(certs, "server"))), grpc.ForceServerCodec(rawCodec{}))
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "teleport.v1.JobWorker", HandlerType: (*any)(nil),
		Methods: []grpc.MethodDesc{{MethodName: "Status", Handler: status}},
		Streams: []grpc.StreamDesc{{StreamName: "GetOutput", Handler: output, ServerStreams: true}}}, nil)
	fmt.Fprintln(os.Stderr, "listening on", l.Addr())
	log.Fatal(s.Serve(l))
}

// measure makes the calls and prints a name and a number a line.
func measure(address, certs, identity, id string, calls, concurrency int) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	defer cancel()
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(tlsConfig(certs, identity))),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(rawCodec{})))
	if err != nil {
		log.Fatal(err)
	}
	request := field1([]byte(id))
	one := func() {
		var out []byte
		if err := conn.Invoke(ctx, "/teleport.v1.JobWorker/Status", &request, &out); err != nil {
			log.Fatal(err)
		}
	}
	one()
	start := time.Now()
	for i := 0; i < calls; i++ {
		one()
	}
	fmt.Printf("status_per_s %.0f\n", float64(calls)/time.Since(start).Seconds())
	start = time.Now()
	var wg sync.WaitGroup
	for k := 0; k < concurrency; k++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := 0; i < calls/concurrency; i++ {
				one()
			}
		}()
	}
	wg.Wait()
	fmt.Printf("status_concurrent_per_s %.0f\n", float64(calls/concurrency*concurrency)/time.Since(start).Seconds())
	start = time.Now()
	stream, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/teleport.v1.JobWorker/GetOutput")
	if err != nil {
		log.Fatal(err)
	}
	if err := stream.SendMsg(&request); err != nil {
		log.Fatal(err)
	}
	_ = stream.CloseSend()
	bytes := 0
	for {
		var m []byte
		if err := stream.RecvMsg(&m); err == io.EOF {
			break
		} else if err != nil {
			log.Fatal(err)
		}
		bytes += dataLength(m)
	}
	seconds := time.Since(start).Seconds()
	fmt.Printf("output_bytes %d\noutput_mb_per_s %.0f\n", bytes, float64(bytes)/1e6/seconds)
}

func main() {
	if len(os.Args) < 2 {
		log.Fatal("usage: peer server|client [flags]")
	}
	f := flag.NewFlagSet(os.Args[1], flag.ExitOnError)
	listen := f.String("listen", "127.0.0.1:0", "server: where to listen")
	address := f.String("address", "localhost:50051", "client: the server to call")
	certs := f.String("certs", ".", "directory with ca.crt and NAME.crt, NAME.key")
	identity := f.String("identity", "admin", "client: the name of its certificate")
	id := f.String("id", "268435456", "client: the job; for a peer server, the number of bytes to send")
	chunk := f.Int("chunk", 262144, "server: bytes of a message")
	calls := f.Int("calls", 5000, "client: the number of Status calls")
	concurrency := f.Int("concurrency", 100, "client: the number of calls at once")
	_ = f.Parse(os.Args[2:])
	switch os.Args[1] {
	case "server":
		serve(*listen, *certs, *chunk)
	case "client":
		measure(*address, *certs, *identity, *id, *calls, *concurrency)
	}
}
