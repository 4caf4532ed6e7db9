// SPDX-License-Identifier: Apache-2.0
// azidentity and armcompute, as the recipe of docs/clients.md has them: disks and snapshots.
package main

import (
	"context"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/arm"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/to"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/resourcemanager/compute/armcompute/v7"
)

const group, location = "dari-default", "useast1"

var (
	ctx    = context.Background()
	disks  *armcompute.DisksClient
	shots  *armcompute.SnapshotsClient
	diskID string
)

func signIn() error {
	endpoint := env("ENDPOINT")
	region := azcore.ClientOptions{Cloud: cloud.Configuration{
		ActiveDirectoryAuthorityHost: endpoint,
		Services:                     map[cloud.ServiceName]cloud.ServiceConfiguration{cloud.ResourceManager: {Endpoint: endpoint, Audience: endpoint + "/"}},
	}}
	options := azidentity.ClientSecretCredentialOptions{ClientOptions: region, DisableInstanceDiscovery: true}
	credential := must(azidentity.NewClientSecretCredential(env("TENANT"), env("AWS_ACCESS_KEY_ID"), env("AWS_SECRET_ACCESS_KEY"), &options))
	disks = must(armcompute.NewDisksClient(env("SUBSCRIPTION"), credential, &arm.ClientOptions{ClientOptions: region}))
	shots = must(armcompute.NewSnapshotsClient(env("SUBSCRIPTION"), credential, &arm.ClientOptions{ClientOptions: region}))
	return same(countDisks(), 0)
}

func countDisks() int {
	found := 0
	for pages := disks.NewListPager(nil); pages.More(); {
		found += len(must(pages.NextPage(ctx)).Value)
	}
	return found
}

func makeDisks() error {
	for _, name := range []string{"a", "b", "c"} {
		begun := must(disks.BeginCreateOrUpdate(ctx, group, name, armcompute.Disk{Location: to.Ptr(location), Properties: &armcompute.DiskProperties{
			CreationData: &armcompute.CreationData{CreateOption: to.Ptr(armcompute.DiskCreateOptionEmpty)}, DiskSizeGB: to.Ptr[int32](1)}}, nil))
		made := must(begun.PollUntilDone(ctx, nil))
		diskID = *made.ID
		done(same(*made.Properties.ProvisioningState, "Succeeded"))
	}
	return same(countDisks(), 3)
}

func changeDisk() error {
	begun := must(disks.BeginUpdate(ctx, group, "c", armcompute.DiskUpdate{Tags: map[string]*string{"team": to.Ptr("blue")},
		Properties: &armcompute.DiskUpdateProperties{DiskSizeGB: to.Ptr[int32](2)}}, nil))
	must(begun.PollUntilDone(ctx, nil))
	now := must(disks.Get(ctx, group, "c", nil))
	done(same(*now.Tags["team"], "blue"))
	return same(*now.Properties.DiskSizeGB, 2)
}

func makeSnapshot() error {
	begun := must(shots.BeginCreateOrUpdate(ctx, group, "shot", armcompute.Snapshot{Location: to.Ptr(location), Properties: &armcompute.SnapshotProperties{
		CreationData: &armcompute.CreationData{CreateOption: to.Ptr(armcompute.DiskCreateOptionCopy), SourceResourceID: &diskID}}}, nil))
	return same(*must(begun.PollUntilDone(ctx, nil)).Properties.ProvisioningState, "Succeeded")
}

func errors() error {
	_, err := disks.Get(ctx, group, "nobody", nil)
	done(refused(err, "ResourceNotFound"))
	_, err = disks.Get(ctx, "nowhere", "a", nil)
	return refused(err, "ResourceGroupNotFound")
}

func deleteAll() error {
	must(must(shots.BeginDelete(ctx, group, "shot", nil)).PollUntilDone(ctx, nil))
	for _, name := range []string{"a", "b", "c"} {
		must(must(disks.BeginDelete(ctx, group, name, nil)).PollUntilDone(ctx, nil))
	}
	return same(countDisks(), 0)
}

func main() {
	step("signing in", signIn)
	step("three disks, listed by pages", makeDisks)
	step("a disk is grown and tagged", changeDisk)
	step("a snapshot", makeSnapshot)
	step("errors have their codes", errors)
	step("all is deleted", deleteAll)
	endTour()
}
