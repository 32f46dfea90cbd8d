# SPDX-License-Identifier: MIT
# SPDX-FileCopyrightText: 2026 The energy-meter authors
# Completion of energy-meter for bash: its commands, their options, and the command that run is given.

_energy_meter() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words i
    local carbon="--location --carbon --pue --price --embodied"
    local measure="$carbon --interval --cpu-tdp --gpu-tdp --gpus --channels --file --root --as-user"
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        words="run watch record report compare merge sensors doctor setup --help --version"
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
        return
    fi
    if [[ $command == run ]]; then
        for ((i = 2; i < COMP_CWORD; i++)); do
            case ${COMP_WORDS[i]} in
            -o | --output | --format | --trace | -r | --repeat | --location | --carbon | --pue | --price | --embodied | \
                --interval | --cpu-tdp | --gpu-tdp | --gpus | --channels | --file | --root)
                ((i++))
                ;;
            --)
                ((i++))
                break
                ;;
            -*) ;;
            *) break ;;
            esac
        done
        if ((i < COMP_CWORD)) || [[ $i -eq $COMP_CWORD && ($previous == -- || ($current && $current != -*)) ]]; then
            if declare -F _command_offset >/dev/null; then
                _command_offset "$i"
            elif ((i == COMP_CWORD)); then
                mapfile -t COMPREPLY < <(compgen -c -- "$current")
            else
                mapfile -t COMPREPLY < <(compgen -f -- "$current")
            fi
            return
        fi
    fi
    case $previous in
    -o | --output | --trace | --root | --file | --replay | --save)
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
        return
        ;;
    --format)
        mapfile -t COMPREPLY < <(compgen -W "text json csv model-card boamps" -- "$current")
        return
        ;;
    --gpus)
        mapfile -t COMPREPLY < <(compgen -W "visible all local_rank" -- "$current")
        return
        ;;
    --location | --carbon | --pue | --price | --embodied | --interval | --cpu-tdp | --gpu-tdp | --channels | --for | \
        --from | --to | -r | --repeat)
        return
        ;;
    esac
    case $command in
    run) words="--output --json --csv --format --trace --repeat --quiet $measure" ;;
    watch) words="--json --for --replay $measure" ;;
    record) words="--output --for --quiet $measure" ;;
    report) words="--output --json --csv --format --from --to $carbon" ;;
    compare) words="--json --force" ;;
    merge) words="--json" ;;
    sensors) words="--json --root --as-user --channels --file --replay" ;;
    doctor) words="--json --root --as-user --channels --file --replay --save --force" ;;
    setup) words="--print" ;;
    *) return ;;
    esac
    if [[ $current == -* || $command != @(report|compare|merge) ]]; then
        mapfile -t COMPREPLY < <(compgen -W "--help $words" -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -o filenames -F _energy_meter energy-meter
