/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/openstack/: disks that migrations upload, and the volumes that are made of them. */
#pragma once

#include "drivers/remote.h"

extern const struct remote_point_ops openstack_point_ops;
extern const struct remote_sink_ops openstack_sink_ops;
