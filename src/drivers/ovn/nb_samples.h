/* SPDX-License-Identifier: Apache-2.0
 * Samples of what policies drop: OVN 22.12 and later adds them to each drop while NB_Global says so (ovn-nb(5),
 * debug_drop_domain_id). Pure functions. Source: ovn-nb(5), ovn-sb(5), Logical_Flow and Datapath_Binding. */
#pragma once

#include <jansson.h>

#include "drivers/network.h"

/* Operations that turn samples on or off; owned by the caller. NULL: out of memory. global: the row's id. */
json_t *nb_samples_ops(const char *global, bool on);
/* True if the options of NB_Global, NULL for none, say so already. */
bool nb_samples_are(const json_t *options, bool on);
/* Operations that select the flows of policies' drops, and the datapaths; for the southbound database. */
json_t *nb_samples_ask(void);
/* Reads the results of nb_samples_ask() into the arena. */
RESULT nb_samples_read(struct ctx *c, const json_t *results, struct network_samples *ret_samples);
