// SPDX-License-Identifier: Apache-2.0
// English sentences are their own keys. This table has the plural forms, which Intl.PluralRules chooses by {n}.
export const plurals = {};
for (const [one, other] of [
	["Deleting backup", "Deleting {n} backups"], ["Creating backup", "Creating {n} backups"], ["Creating snapshot", "Creating {n} snapshots"], ["{n} of {hosts} hosts sees it", "{n} of {hosts} hosts see it"],
	["Deleting snapshot", "Deleting {n} snapshots"],
	["Deleting volume", "Deleting {n} volumes"], ["Detaching network interface", "Detaching {n} network interfaces"], ["Detaching volume", "Detaching {n} volumes"],
	["Hosts cache {n} image, {size}.", "Hosts cache {n} images, {size}."], ["Launch {n} instance", "Launch {n} instances"], ["Launching {n} instance", "Launching {n} instances"],
	["Only the first one is listed.", "Only the first {n} are listed."], ["Protection enabled", "Protection enabled for {n} instances"],
	["Protection removed", "Protection removed from {n} instances"], ["Rebooting instance", "Rebooting {n} instances"],
	["Scheduling enabled", "Scheduling enabled on {n} hosts"], ["Starting instance", "Starting {n} instances"],
	["Stopping instance", "Stopping {n} instances"], ["Suspending instance", "Suspending {n} instances"],
	["Terminating instance", "Terminating {n} instances"],
	["An Elastic IP address stays allocated: {names}.", "{n} Elastic IP addresses stay allocated: {names}."], ["{n} account", "{n} accounts"],
	["Address disassociated", "{n} addresses disassociated"], ["Address released", "{n} addresses released"], ["{n} day, {total} total", "{n} days, {total} total"],
	["{n} difference", "{n} differences"], ["Group deleted", "{n} groups deleted"], ["{n} host: {why}", "{n} hosts: {why}"], ["Image deregistered", "{n} images deregistered"],
	["{n} instance", "{n} instances"], ["{up} of {n} host online", "{up} of {n} hosts online"], ["{n} instance is on this host. It was not restarted elsewhere: the host is not confirmed to be off.",
		"{n} instances are on this host. They were not restarted elsewhere: the host is not confirmed to be off."],
	["Instance paused", "{n} instances paused"], ["Instance resumed", "{n} instances resumed"], ["{n} instance uses this image", "{n} instances use this image"],
	["Key pair deleted", "{n} key pairs deleted"], ["{n} member", "{n} members"], ["{n} needs attention", "{n} need attention"],
	["Network interface deleted", "{n} network interfaces deleted"], ["{n} network interface still uses its addresses:", "{n} network interfaces still use its addresses:"],
	["{n} of them belongs to another account.", "{n} of them belong to other accounts."], ["{n} of {hosts} hosts has capacity", "{n} of {hosts} hosts have capacity"],
	["{n} peering connection", "{n} peering connections"], ["{n} price", "{n} prices"], ["{n} recovery code left", "{n} recovery codes left"],
	["{n} resource is deleted with it:", "{n} resources are deleted with it:"], ["User deleted", "{n} users deleted"], ["{n} vCPU", "{n} vCPUs"],
	["{n} volume is deleted ({size}).", "{n} volumes are deleted ({size})."], ["{n} volume is kept: {names}.", "{n} volumes are kept: {names}."],
	["{n} volume, {free} available", "{n} volumes, {free} available"], ["{what}, {n} row", "{what}, {n} rows"], ["{n} rule added", "{n} rules added"], ["{n} rule removed", "{n} rules removed"],
	["{what} and {n} more rule", "{what} and {n} more rules"], ["{n} selection of AWS Backup", "{n} selections of AWS Backup"],
])
	plurals[other] = {one, other};

/** Words from the server: conditions and states of hosts. */
Object.assign(plurals, {HeldForRoom: "Waiting for capacity", HostDown: "Host down", NoHost: "No host available", NoRoom: "No capacity", NotFetched: "Import failed", NotPlaced: "Not placed",
	NotReconciled: "Not applied", NoWayOut: "No internet route", Restarted: "Restarted automatically", DiskMissing: "Disk missing", WaitsForHost: "Waiting for host", WaitsForDisk: "Waiting for disk",
	up: "online", down: "offline", PoolFull: "Pool full", PoolAway: "Pool not reachable", PoolUnproven: "Pool not verified", FenceFailed: "Fencing failed", FenceHeld: "Fencing on hold", SnapshotNotTaken: "Snapshot failed"});
