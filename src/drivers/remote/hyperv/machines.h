/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: machines of a host, which several classes of WMI describe together. */
#pragma once

#include "drivers/remote/draft.h"
#include "drivers/remote/hyperv/wsman.h"

/* Classes that describe machines, in the order of reading. */
enum hyperv_part {
	HYPERV_SYSTEMS,
	HYPERV_SETTINGS,
	HYPERV_PROCESSORS,
	HYPERV_MEMORIES,
	HYPERV_PORTS,
	HYPERV_DISKS,
	HYPERV_GUESTS,
	HYPERV_PARTS
};
enum { HYPERV_MACHINES_MAX = REMOTE_PAGE_MAX };

/* Machines while they are read, part by part. lists: those that are being made are left out. */
struct hyperv_reading;
struct hyperv_reading *hyperv_begin_machines(struct ctx *c, bool lists);
/* Reads a page of that part. */
RESULT hyperv_read_machines(struct hyperv_reading *reading, enum hyperv_part part, struct str text);
RESULT hyperv_end_machines(struct hyperv_reading *reading, struct remote_page *ret_page);

/* Reads the machines of a host. An empty id means all of them. */
RESULT hyperv_list_machines(struct wsman_link *l, struct str id, struct remote_page *ret_page);
/* ERR_NOT_FOUND: the host has no such machine. */
RESULT hyperv_get_machine(struct wsman_link *l, struct str id, struct remote_machine *ret_machine);

/* Id of the machine in the InstanceID of a part, "Microsoft:ID\…"; empty: of no machine. Lower case, in the arena. */
struct str hyperv_owner(struct ctx *c, struct str instance_id);
/* Id of a disk: its InstanceID in lower case, with ':' instead of '\\'. */
struct str hyperv_part_id(struct ctx *c, struct str instance_id);
/* Value of the key Name in a path of WMI; empty: absent. */
struct str hyperv_path_name(struct str path);
/* ResourceSubType of the images of disks. */
#define HYPERV_DISK_TYPE "Microsoft:Hyper-V:Virtual Hard Disk"
/* An id of WMI, which is upper case there. */
struct str hyperv_upper(struct ctx *c, struct str id);
/* Line of a machine's notes that has the token of its creation, and start of a line that has a tag. */
#define HYPERV_TOKEN_LINE "dari:id "
/* The same while the machine is being made: listings leave it out. */
#define HYPERV_MAKING_LINE "dari:making "
#define HYPERV_TAG_LINE "dari:tag "
/* The notes without lines that begin like that. */
struct str hyperv_strip_notes(struct ctx *c, struct str notes, const char *start);
