/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/openstack/: resources of Glance, Neutron, Cinder and Nova. Pure; any thread. */
#pragma once

#include "drivers/remote/resource_json.h"

/* The lists of OpenStack's services, by enum remote_resource_type. */
struct openstack_list {
	int service;      /* enum remote_service; -1: Nova */
	const char *path; /* below the service's URL, without a version where the catalog's URL has one */
	const char *list; /* the member with the elements */
	const char *has;  /* member around each element; NULL: none */
	struct resource_form form;
};
extern const struct openstack_list openstack_lists[];

/* Reads a list. The cursor is the last element's id, or name, if there are more. */
RESULT openstack_read_resources(struct ctx *c, const json_t *root, enum remote_resource_type type,
				struct remote_resource_page *ret_page);
/* True if the answer links to a next page. list: the member with the elements. */
bool openstack_has_next(struct ctx *c, const json_t *root, const char *list);
