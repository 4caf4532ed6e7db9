// SPDX-License-Identifier: Apache-2.0
// cloudstack-go, on which CloudStack's provider for Terraform stands: its typed answers must decode, and its jobs end.
package main

import "github.com/apache/cloudstack-go/v2/cloudstack"

var (
	api, admin                                 *cloudstack.CloudStackClient
	zone, offering, other, template, disk      string
	network, machine, volume                   string
	sourceNat, isolated                        = "DefaultIsolatedNetworkOfferingWithSourceNatService", ""
)

func lookAround() error {
	api = cloudstack.NewAsyncClient(env("CLOUDSTACK_ENDPOINT"), env("CLOUDSTACK_KEY"), env("CLOUDSTACK_SECRET"), true)
	admin = cloudstack.NewAsyncClient(env("CLOUDSTACK_ENDPOINT"), env("ADMIN_KEY"), env("ADMIN_SECRET"), true)
	zone = must(api.Zone.ListZones(api.Zone.NewListZonesParams())).Zones[0].Id
	one, _, err := api.ServiceOffering.GetServiceOfferingByName("t3.micro")
	done(err)
	offering = one.Id
	one, _, err = api.ServiceOffering.GetServiceOfferingByName("t3.small")
	done(err)
	other = one.Id
	net, _, err := api.NetworkOffering.GetNetworkOfferingByName(sourceNat)
	done(err)
	isolated = net.Id
	template = must(api.Template.ListTemplates(api.Template.NewListTemplatesParams("featured"))).Templates[0].Id
	for _, row := range must(api.DiskOffering.ListDiskOfferings(api.DiskOffering.NewListDiskOfferingsParams())).DiskOfferings {
		if row.Iscustomized {
			disk = row.Id
		}
	}
	return same(disk != "", true)
}

func pages() error {
	found := map[string]bool{}
	asked := api.ServiceOffering.NewListServiceOfferingsParams()
	asked.SetPagesize(3)
	for page, all := 1, -1; len(found) != all; page++ {
		asked.SetPage(page)
		answer := must(api.ServiceOffering.ListServiceOfferings(asked))
		all = answer.Count
		for _, row := range answer.ServiceOfferings {
			found[row.Id] = true
		}
	}
	return same(len(found) > 3, true)
}

func makeNetwork() error {
	asked := api.Network.NewCreateNetworkParams("inner", isolated, zone)
	asked.SetGateway("10.5.0.1")
	asked.SetNetmask("255.255.255.0")
	made := must(api.Network.CreateNetwork(asked))
	network = made.Id
	return same(made.Cidr, "10.5.0.0/24")
}

func makeVPC() error {
	offerings := must(api.VPC.ListVPCOfferings(api.VPC.NewListVPCOfferingsParams())).VPCOfferings
	vpc := must(api.VPC.CreateVPC(api.VPC.NewCreateVPCParams("10.60.0.0/16", "shop", "shop", offerings[0].Id, zone))).Id
	wall := must(api.NetworkACL.CreateNetworkACLList(api.NetworkACL.NewCreateNetworkACLListParams("wall", vpc))).Id
	asked := api.NetworkACL.NewCreateNetworkACLParams("tcp")
	asked.SetAclid(wall)
	asked.SetStartport(80)
	asked.SetEndport(81)
	asked.SetCidrlist([]string{"0.0.0.0/0"})
	rule := must(api.NetworkACL.CreateNetworkACL(asked))
	done(same(rule.Startport, "80"))
	must(api.NetworkACL.DeleteNetworkACL(api.NetworkACL.NewDeleteNetworkACLParams(rule.Id)))
	must(api.NetworkACL.DeleteNetworkACLList(api.NetworkACL.NewDeleteNetworkACLListParams(wall)))
	must(api.VPC.DeleteVPC(api.VPC.NewDeleteVPCParams(vpc)))
	return nil
}

func makeMachine() error {
	asked := api.VirtualMachine.NewDeployVirtualMachineParams(offering, template, zone)
	asked.SetNetworkids([]string{network})
	asked.SetName("till")
	made := must(api.VirtualMachine.DeployVirtualMachine(asked))
	machine = made.Id
	done(same(made.State, "Running"))
	must(api.VirtualMachine.StopVirtualMachine(api.VirtualMachine.NewStopVirtualMachineParams(machine)))
	must(api.VirtualMachine.ScaleVirtualMachine(api.VirtualMachine.NewScaleVirtualMachineParams(machine, other)))
	return same(must(api.VirtualMachine.StartVirtualMachine(api.VirtualMachine.NewStartVirtualMachineParams(machine))).Serviceofferingname, "t3.small")
}

func forward() error {
	asked := api.Address.NewAssociateIpAddressParams()
	asked.SetNetworkid(network)
	address := must(api.Address.AssociateIpAddress(asked)).Id
	rule := must(api.Firewall.CreatePortForwardingRule(api.Firewall.NewCreatePortForwardingRuleParams(address, 22, "tcp", 2222, machine)))
	done(same(rule.Publicport, "2222"))
	must(api.Address.DisassociateIpAddress(api.Address.NewDisassociateIpAddressParams(address)))
	return nil
}

func makeVolume() error {
	asked := api.Volume.NewCreateVolumeParams()
	asked.SetName("data")
	asked.SetDiskofferingid(disk)
	asked.SetSize(1)
	asked.SetZoneid(zone)
	volume = must(api.Volume.CreateVolume(asked)).Id
	must(api.Volume.AttachVolume(api.Volume.NewAttachVolumeParams(volume, machine)))
	leave := api.Volume.NewDetachVolumeParams()
	leave.SetId(volume)
	must(api.Volume.DetachVolume(leave))
	grow := api.Volume.NewResizeVolumeParams(volume)
	grow.SetSize(2)
	return same(must(api.Volume.ResizeVolume(grow)).Size, 2<<30)
}

func errors() error {
	_, err := api.VirtualMachine.StartVirtualMachine(api.VirtualMachine.NewStartVirtualMachineParams("11111111-2222-3333-4444-555555555555"))
	done(refused(err, "431"))
	_, err = cloudstack.NewAsyncClient(env("CLOUDSTACK_ENDPOINT"), "nobody", "x", true).Zone.ListZones(api.Zone.NewListZonesParams())
	return refused(err, "401")
}

func deleteAll() error {
	must(api.Volume.DeleteVolume(api.Volume.NewDeleteVolumeParams(volume)))
	must(api.VirtualMachine.DestroyVirtualMachine(api.VirtualMachine.NewDestroyVirtualMachineParams(machine)))
	must(admin.VirtualMachine.ExpungeVirtualMachine(admin.VirtualMachine.NewExpungeVirtualMachineParams(machine)))
	must(api.Network.DeleteNetwork(api.Network.NewDeleteNetworkParams(network)))
	return same(must(api.VirtualMachine.ListVirtualMachines(api.VirtualMachine.NewListVirtualMachinesParams())).Count, 0)
}

func main() {
	step("zones, offerings and templates", lookAround)
	step("offerings by pages", pages)
	step("an isolated network", makeNetwork)
	step("a VPC with an ACL and a rule", makeVPC)
	step("a machine, its offering changed", makeMachine)
	step("an address and a forwarding", forward)
	step("a volume, attached and grown", makeVolume)
	step("errors have their codes", errors)
	step("all is deleted", deleteAll)
	endTour()
}
