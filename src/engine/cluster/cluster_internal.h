/* SPDX-License-Identifier: Apache-2.0
 * Private to engine/cluster/. */
#pragma once

#include "engine/cluster/cluster.h"
#include "engine/instance/launch/launch_template.h"
#include "engine/internal.h"
#include "store/cluster.h"

/* Facts of a creation, beside the wish and the row. */
struct cluster_making {
	struct op *op;
	const struct cluster_wish *wish;
	struct cluster *row;
	struct str key_name;   /* name of the key pair; empty: none */
	struct str private_ip; /* private address of the load balancer, in its first subnet */
	struct str dns_name;
};

/* cluster_user_data.c: user data in the arena. n: place among the machines of the control plane, from 0. */
RESULT cluster_write_control_data(const struct cluster_making *m, size_t n, struct str *ret_data);
RESULT cluster_write_worker_data(const struct cluster_making *m, struct str *ret_data);

/* cluster_parts.c: make the parts, and note them in the row. */
RESULT cluster_make_parts(struct cluster_making *m);
RESULT cluster_check_part_names(struct op *op, uuid account, struct str name);

/* "NAME-SUFFIX" */
struct str cluster_part_name(struct arena *a, struct str name, const char *suffix);

/* Puts the row with a status. The history gets an event if the status is new. */
RESULT cluster_put_status(struct op *op, struct cluster *next, enum cluster_status status,
			  struct str problem);
