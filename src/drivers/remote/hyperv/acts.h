/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/hyperv/: acts on machines, and their creation. */
#pragma once

#include "drivers/remote/hyperv/jobs.h"

/* Carries out an act on a machine of the link's server, or follows the job of an earlier call. ERR_AGAIN: it is under way. */
RESULT hyperv_act(struct wsman_link *l, const struct remote_act *act);

/* Finds the machine with the token, or creates it from a template disk of that folder. ERR_AGAIN: it is being made. */
RESULT hyperv_create(struct wsman_link *l, const struct remote_new *wish, struct remote_machine *ret_machine);

/* A machine, and the service that changes machines, as objects of WMI. */
struct wsman_object hyperv_machine_object(struct ctx *c, struct str ref);
struct wsman_object hyperv_service_object(void);

/* ERR_UNSUPPORTED: the tag is no line of notes. */
RESULT hyperv_check_tag(struct ctx *c, const struct tag *tag);

/* Changes the notes of a machine, and its numbers of processors and MiB. */
RESULT hyperv_set_notes(struct wsman_link *l, struct str ref, struct str notes,
			struct hyperv_outcome *ret_outcome);
RESULT hyperv_set_size(struct wsman_link *l, struct str ref, int64_t vcpus, int64_t mib,
		       struct hyperv_outcome *ret_outcome);
