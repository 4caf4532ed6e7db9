#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt
# Cases that only a real libvirt can meet: half-sent images, a hung daemon, a host that reboots.
exec "$(dirname "$0")/../lib/compute_contract.sh" libvirt
