/* SPDX-License-Identifier: Apache-2.0
 * Private to drivers/remote/openstack/: disks that migrations upload, and the volumes that are made of them; and the images of
 * servers' disks that they download (source.c). */
#pragma once

#include "drivers/remote.h"

extern const struct remote_source_ops openstack_source_ops;
extern const struct remote_sink_ops openstack_sink_ops;
