// SPDX-License-Identifier: Apache-2.0
// gophercloud, signed in by the environment that `dari dev` prints.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net/http"
	"os"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/snapshots"
	"github.com/gophercloud/gophercloud/v2/openstack/blockstorage/v3/volumes"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/flavors"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/keypairs"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/servers"
	"github.com/gophercloud/gophercloud/v2/openstack/compute/v2/volumeattach"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/applicationcredentials"
	"github.com/gophercloud/gophercloud/v2/openstack/identity/v3/tokens"
	"github.com/gophercloud/gophercloud/v2/openstack/image/v2/images"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/external"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/floatingips"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/layer3/routers"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/groups"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/extensions/security/rules"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/networks"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/ports"
	"github.com/gophercloud/gophercloud/v2/openstack/networking/v2/subnets"
)

var (
	ctx                                       = context.Background()
	compute, network, block, image, identity  *gophercloud.ServiceClient
	imageID, flavorID, largerID               string
	inner, innerV4, router, group, port       string
	server, volume, snapshot, floating, outer string
)

func signIn() error {
	options := must(openstack.AuthOptionsFromEnv())
	provider := must(openstack.NewClient(options.IdentityEndpoint))
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(must(os.ReadFile(env("CA_FILE"))))
	provider.HTTPClient = http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}}}
	done(openstack.Authenticate(ctx, provider, options))
	where := gophercloud.EndpointOpts{Region: env("OS_REGION_NAME")}
	compute = must(openstack.NewComputeV2(provider, where))
	compute.Microversion = "2.79"
	network = must(openstack.NewNetworkV2(provider, where))
	block = must(openstack.NewBlockStorageV3(provider, where))
	image = must(openstack.NewImageV2(provider, where))
	identity = must(openstack.NewIdentityV3(provider, where))
	return nil
}

func findParts() error {
	all := must(flavors.ExtractFlavors(must(flavors.ListDetail(compute, flavors.ListOpts{Limit: 3}).AllPages(ctx))))
	for _, flavor := range all {
		switch flavor.Name {
		case "t3.micro":
			flavorID = flavor.ID
		case "t3.small":
			largerID = flavor.ID
		}
	}
	imageID = must(images.ExtractImages(must(images.List(image, images.ListOpts{Status: images.ImageStatusActive}).AllPages(ctx))))[0].ID
	return same(flavorID != "" && largerID != "", true)
}

func makeNetwork() error {
	inner = must(networks.Create(ctx, network, networks.CreateOpts{Name: "inner"}).Extract()).ID
	innerV4 = must(subnets.Create(ctx, network, subnets.CreateOpts{NetworkID: inner, Name: "inner-v4", CIDR: "10.20.0.0/24", IPVersion: 4}).Extract()).ID
	yes := true
	outside := must(networks.List(network, external.ListOptsExt{ListOptsBuilder: networks.ListOpts{}, External: &yes}).AllPages(ctx))
	outer = must(networks.ExtractNetworks(outside))[0].ID
	router = must(routers.Create(ctx, network, routers.CreateOpts{Name: "way", GatewayInfo: &routers.GatewayInfo{NetworkID: outer}}).Extract()).ID
	must(routers.AddInterface(ctx, network, router, routers.AddInterfaceOpts{SubnetID: innerV4}).Extract())
	group = must(groups.Create(ctx, network, groups.CreateOpts{Name: "web"}).Extract()).ID
	rule := must(rules.Create(ctx, network, rules.CreateOpts{SecGroupID: group, Direction: rules.DirIngress, EtherType: rules.EtherType4,
		Protocol: rules.ProtocolTCP, PortRangeMin: 80, PortRangeMax: 81}).Extract())
	return same(rule.PortRangeMax, 81)
}

func makePort() error {
	made := must(ports.Create(ctx, network, ports.CreateOpts{NetworkID: inner, Name: "door", SecurityGroups: &[]string{group},
		FixedIPs: []ports.IP{{SubnetID: innerV4, IPAddress: "10.20.0.77"}}}).Extract())
	port = made.ID
	name := "gate"
	changed := must(ports.Update(ctx, network, port, ports.UpdateOpts{Name: &name, RevisionNumber: &made.RevisionNumber}).Extract())
	done(refused(ports.Update(ctx, network, port, ports.UpdateOpts{Name: &name, RevisionNumber: &made.RevisionNumber}).Err, "412"))
	return same(changed.Name, "gate")
}

func makeServer() error {
	must(keypairs.Create(ctx, compute, keypairs.CreateOpts{Name: "desk"}).Extract())
	made := must(servers.Create(ctx, compute, keypairs.CreateOptsExt{KeyName: "desk", CreateOptsBuilder: servers.CreateOpts{Name: "one", ImageRef: imageID,
		FlavorRef: flavorID, Networks: []servers.Network{{Port: port}}, Metadata: map[string]string{"team": "blue"}, UserData: []byte("#!/bin/sh\n")}}, nil).Extract())
	server = made.ID
	done(servers.WaitForStatus(ctx, compute, server, "ACTIVE"))
	found := must(servers.ExtractServers(must(servers.List(compute, servers.ListOpts{Name: "^one$", Limit: 1}).AllPages(ctx))))
	return same(len(found), 1)
}

func resize() error {
	done(servers.Resize(ctx, compute, server, servers.ResizeOpts{FlavorRef: largerID}).ExtractErr())
	done(servers.WaitForStatus(ctx, compute, server, "VERIFY_RESIZE"))
	done(servers.ConfirmResize(ctx, compute, server).ExtractErr())
	done(servers.WaitForStatus(ctx, compute, server, "ACTIVE"))
	done(servers.Stop(ctx, compute, server).ExtractErr())
	done(servers.WaitForStatus(ctx, compute, server, "SHUTOFF"))
	done(servers.Start(ctx, compute, server).ExtractErr())
	return servers.WaitForStatus(ctx, compute, server, "ACTIVE")
}

func makeVolume() error {
	volume = must(volumes.Create(ctx, block, volumes.CreateOpts{Name: "data", Size: 1}, nil).Extract()).ID
	done(volumes.WaitForStatus(ctx, block, volume, "available"))
	must(volumeattach.Create(ctx, compute, server, volumeattach.CreateOpts{VolumeID: volume}).Extract())
	done(volumes.WaitForStatus(ctx, block, volume, "in-use"))
	done(volumeattach.Delete(ctx, compute, server, volume).ExtractErr())
	done(volumes.WaitForStatus(ctx, block, volume, "available"))
	done(volumes.ExtendSize(ctx, block, volume, volumes.ExtendSizeOpts{NewSize: 2}).ExtractErr())
	done(volumes.WaitForStatus(ctx, block, volume, "available"))
	snapshot = must(snapshots.Create(ctx, block, snapshots.CreateOpts{VolumeID: volume, Name: "shot"}).Extract()).ID
	return snapshots.WaitForStatus(ctx, block, snapshot, "available")
}

func makeFloating() error {
	made := must(floatingips.Create(ctx, network, floatingips.CreateOpts{FloatingNetworkID: outer, PortID: port}).Extract())
	floating = made.ID
	done(same(made.FixedIP, "10.20.0.77"))
	return floatingips.Delete(ctx, network, floating).ExtractErr()
}

func makeCredential() error {
	user := must(identity.GetAuthResult().(tokens.CreateResult).ExtractUser()).ID
	made := must(applicationcredentials.Create(ctx, identity, user, applicationcredentials.CreateOpts{Name: "robot"}).Extract())
	robot := must(openstack.NewClient(env("OS_AUTH_URL")))
	robot.HTTPClient = identity.HTTPClient
	done(openstack.Authenticate(ctx, robot, gophercloud.AuthOptions{IdentityEndpoint: env("OS_AUTH_URL"), ApplicationCredentialID: made.ID,
		ApplicationCredentialSecret: made.Secret}))
	return applicationcredentials.Delete(ctx, identity, user, made.ID).ExtractErr()
}

func errors() error {
	done(refused(servers.Get(ctx, compute, "11111111-2222-3333-4444-555555555555").Err, "404"))
	done(refused(volumes.Create(ctx, block, volumes.CreateOpts{Size: -1}, nil).Err, "400"))
	return refused(networks.Delete(ctx, network, inner).Err, "409")
}

func deleteAll() error {
	done(servers.Delete(ctx, compute, server).ExtractErr())
	awaitThat("the server is gone", func() bool { return servers.Get(ctx, compute, server).Err != nil })
	done(snapshots.Delete(ctx, block, snapshot).ExtractErr())
	awaitThat("the snapshot is gone", func() bool { return snapshots.Get(ctx, block, snapshot).Err != nil })
	done(volumes.Delete(ctx, block, volume, nil).ExtractErr())
	awaitThat("the volume is gone", func() bool { return volumes.Get(ctx, block, volume).Err != nil })
	ports.Delete(ctx, network, port)
	must(routers.RemoveInterface(ctx, network, router, routers.RemoveInterfaceOpts{SubnetID: innerV4}).Extract())
	done(routers.Delete(ctx, network, router).ExtractErr())
	done(groups.Delete(ctx, network, group).ExtractErr())
	done(networks.Delete(ctx, network, inner).ExtractErr())
	return keypairs.Delete(ctx, compute, "desk", nil).ExtractErr()
}

func main() {
	step("signing in by the environment", signIn)
	step("flavors by pages, images by status", findParts)
	step("a network with a router and a group", makeNetwork)
	step("a port, changed once by its revision", makePort)
	step("a server with a key and user data", makeServer)
	step("resize, stop, start", resize)
	step("a volume, attached, grown, its snapshot", makeVolume)
	step("a floating IP", makeFloating)
	step("an application credential", makeCredential)
	step("errors have their status", errors)
	step("all is deleted", deleteAll)
	endTour()
}
