# SPDX-License-Identifier: MIT
# Prints what zsh offers to complete each line of standard input with, one line for each: zsh_offers.zsh FOLDER... The folders
# have the completion functions. zsh completes on a terminal only, so it has one; what it offers passes through compadd.
zmodload zsh/zpty
setup() {
  fpath=("$@" $fpath)
  autoload -Uz compinit && compinit -u -D
  compadd() {
    local -a offered
    # Not a question of the completion functions to themselves, whose answers go into arrays.
    if [[ ${@[1,(i)(-|--)]} != *-(O|A|D)\ * ]]; then
      builtin compadd -O offered "$@"
      print -rl -- "OFFERED "$^offered
    fi
    builtin compadd "$@"
  }
  # Ends a line without running a command: while one runs, the terminal would take control characters for its own.
  next_line() { BUFFER=; print -r -- DO''NE; }
  zle -N next_line
  bindkey '^I' complete-word '^G' next_line
  PROMPT=REA''DY
}
zpty shell zsh -f -i
zpty -w shell "$(functions setup); setup ${(j: :)${(q)@}}"
zpty -r shell output '*READY*'
while read -r typed; do
  offers=()
  zpty -n -w shell "$typed"$'\t\x07'
  while zpty -r shell line && [[ $line != *DONE* ]]; do
    if [[ $line == *"OFFERED "* ]]; then offers+=(${${line##*OFFERED }%%$'\r'*}); fi
  done
  print -r -- $offers
done
zpty -d shell
