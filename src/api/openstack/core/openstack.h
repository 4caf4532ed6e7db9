/* SPDX-License-Identifier: Apache-2.0
 * OpenStack's APIs on one port, each under its prefix: Identity (Keystone) v3, Compute (Nova) v2.1 with
 * microversions, Image (Glance) v2, Network (Neutron) v2.0, Block Storage (Cinder) v3 with microversions,
 * Placement. Actions are const rows beside their handlers, in files by resource. This file collects the rows, and
 * takes a call through its steps: find the service, authenticate, find the action, read the parameters, change or
 * read, answer. Source: the services' API references (docs.openstack.org/api-ref) as of Zed. */
#pragma once

#include "api/core/face.h"

struct json_writer;

/* Protocol of the face, for api_face_new(). */
extern const struct api_protocol openstack_protocol;

/* True if the path belongs to one of the services; other faces share the listener. */
bool openstack_has_path(struct str path);

/* All actions as JSON, for documentation and tests: {"actions": [{service, method, path, name, permit,
 * writes, since, until, params: [{name, in, type, required, built, doc}], filters: [name], doc}], "unbuilt":
 * [{service, method, path, name}]}. */
void openstack_dump_actions(struct buf *out);
/* An object for each call that lists rows of attributes (dump_answer()). */
void openstack_dump_answers(struct json_writer *w);
