#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# subjects: src/drivers/libvirt src/drivers/disk src/drivers/image/
# Runs the disk contract on real libvirt: the same cases as on the simulation.
exec "$(dirname "$0")/../lib/compute_contract.sh" disks
