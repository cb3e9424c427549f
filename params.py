DEFAULTS = {"most": 14}
