/* SPDX-License-Identifier: Apache-2.0
 * Snapshots of a machine's managed disks: one PUT for each disk, into the machine's resource group. A PUT creates what is
 * not there, so that a repeated request makes no second snapshot. Source: REST reference of Microsoft.Compute, snapshots
 * 2022-07-02. */
#include "drivers/remote/azure/request.h"

#define SNAPSHOT_VERSION "api-version=2022-07-02"
enum { DISKS_MAX = 64, MACHINE_NAME_MAX = 50 /* a snapshot's name has at most 80 characters */ };

struct freezing {
	struct ctx *c;
	struct remote *r;
	struct str group, name; /* the snapshots' group, and their name without the disk's number */
	struct str location;
	size_t made;
};

static RESULT write_body(struct freezing *f, struct str disk, struct str *ret_body)
{
	struct remote_body b;
	remote_body_begin(&b);
	json_write_open(&b.json, NULL);
	json_write_text(&b.json, "location", f->location);
	json_write_open(&b.json, "properties");
	json_write_bool(&b.json, "incremental", true);
	json_write_open(&b.json, "creationData");
	json_write_z(&b.json, "createOption", "Copy");
	json_write_text(&b.json, "sourceResourceId", disk);
	json_write_close(&b.json);
	json_write_close(&b.json);
	json_write_close(&b.json);
	return remote_body_end(f->c, &b, ret_body);
}

static RESULT freeze_disk(struct freezing *f, struct str disk)
{
	AUTO_ANSWER answer = {0};
	struct ctx *c = f->c;
	struct str body = STR_NONE;
	struct str path =
		str_print(c->arena,
			  "/subscriptions/%" STR_FMT "/resourceGroups/%" STR_FMT
			  "/providers/Microsoft.Compute/snapshots/%" STR_FMT "-%zu?" SNAPSHOT_VERSION,
			  STR_ARG(f->r->project), STR_ARG(str_encode_url(c->arena, f->group, false)),
			  STR_ARG(str_encode_url(c->arena, f->name, false)), f->made);
	TRY(write_body(f, disk, &body));
	TRY(azure_ask(c, f->r, "PUT", azure_url_of(c, f->r, path), body, &answer));
	f->made++;
	return OK;
}

/* A disk that is no managed one is a blob, of which Azure makes no snapshot this way. */
static RESULT take_disk(struct freezing *f, const json_t *disk)
{
	struct str id = remote_json_text(f->c, disk, "managedDisk/id");
	return id.n && str_is_line(id)
		       ? freeze_disk(f, id)
		       : ctx_fail(f->c, ERR_UNSUPPORTED, "The machine has a disk that is no managed one.");
}

RESULT azure_snapshot(struct ctx *c, struct remote *r, const struct remote_act *act, const json_t *vm)
{
	struct str rest = act->ref, stamp = remote_snapshot_name(c, act);
	struct freezing f = {.c = c, .r = r, .location = remote_json_text(c, vm, "location")};
	const json_t *disks = remote_json_at(vm, "properties/storageProfile/dataDisks");
	if (!str_split_next(&rest, ':', &f.group) || !f.location.n)
		return ctx_fail(c, ERR_IO, "The answer is not usable: the machine has no location.");
	f.name = str_print(c->arena, "%" STR_FMT "-%" STR_FMT, STR_ARG(stamp),
			   STR_ARG(str_cut(rest, MACHINE_NAME_MAX)));
	TRY(take_disk(&f, remote_json_at(vm, "properties/storageProfile/osDisk")));
	for (size_t k = 0; k < json_array_size(disks) && k < DISKS_MAX; k++)
		TRY(take_disk(&f, json_array_get(disks, k)));
	return OK;
}
