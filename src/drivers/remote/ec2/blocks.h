/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/ec2/: disks of machines, for migrations. layout.c describes machines, points.c makes, finds
 * and deletes snapshots by EC2's API, blocks.c reads their blocks by the EBS direct APIs, sink.c writes snapshots by those and
 * makes an image of them. */
#pragma once

#include "drivers/remote.h"

extern const struct remote_source_ops ec2_source_ops;
extern const struct remote_point_ops ec2_point_ops;
extern const struct remote_sink_ops ec2_sink_ops;

/* The calls of struct remote_source_ops and struct remote_point_ops. */
RESULT ec2_describe_layout(struct ctx *c, struct remote *r, struct str ref, struct remote_layout *ret_layout);
/* As above. */
RESULT ec2_freeze(struct ctx *c, struct remote *r, const struct remote_freezing *wish);
/* As above. */
RESULT ec2_find_points(struct ctx *c, struct remote *r, const struct remote_round *round,
		       struct remote_points *ret_points);
/* As above. */
RESULT ec2_thaw(struct ctx *c, struct remote *r, struct str point);
/* Adds the rights to snapshot blocks that the credentials lack. */
RESULT ec2_try_block_rights(struct ctx *c, struct remote *r, struct remote_identity *identity);
/* Fails as the answer of an EBS direct call says. Without EBS's own words a refusal is a proxy's. type: the header
 * x-amzn-ErrorType. */
RESULT ec2_refuse_block_call(struct ctx *c, const struct remote *r, int status, struct str body,
			     struct str type);
/* Adds the right if a dry run of EC2's call finds that it is missing. */
RESULT ec2_try_action(struct ctx *c, struct remote *r, const char *action, const char *member,
		      struct str value, struct remote_identity *identity);
/* Finds the machine that was created with the token. *ret_is_found. */
RESULT ec2_find_created(struct ctx *c, struct remote *r, uuid token, bool *ret_is_found,
			struct remote_machine *ret_machine);
