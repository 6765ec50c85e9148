# SPDX-License-Identifier: Apache-2.0
"""Small faults are put into the modules that decide trust; which of them no test notices goes out."""
