// SPDX-License-Identifier: Apache-2.0
// A vCenter or an ESXi host alone, simulated by govmomi, for the tests of the driver. Listens on 127.0.0.1 until it is terminated.
package main

import (
	"crypto/tls"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/signal"
	"syscall"

	"github.com/vmware/govmomi/simulator"
)

func main() {
	port := flag.Int("port", 0, "port to listen on")
	machines := flag.Int("machines", 2, "machines of each host or resource pool")
	datacenters := flag.Int("datacenters", 1, "datacenters of a vCenter")
	isHost := flag.Bool("esx", false, "simulate an ESXi host alone")
	isPlain := flag.Bool("plain", false, "serve http instead of https")
	flag.Parse()
	model := simulator.VPX()
	if *isHost {
		model = simulator.ESX()
	} else {
		model.Datacenter = *datacenters
	}
	model.Machine = *machines
	if err := model.Create(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	defer model.Remove()
	model.Service.Listen = &url.URL{Host: fmt.Sprintf("127.0.0.1:%d", *port), User: url.UserPassword("user", "pass")}
	if !*isPlain {
		model.Service.TLS = new(tls.Config)
	}
	server := model.Service.NewServer()
	defer server.Close()
	ended := make(chan os.Signal, 1)
	signal.Notify(ended, syscall.SIGTERM)
	<-ended
}
