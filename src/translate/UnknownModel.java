package translate;

import java.util.regex.Pattern;

/** Tells from an error's words whether the backend lacks the model, so that another one may be asked. */
final class UnknownModel {
    /** Codes and types: {@code model_not_found}, {@code DeploymentNotFound}, {@code invalid_model}. */
    private static final Pattern CODE = Pattern.compile(
            "\\b(?:model|deployment)_?not_?(?:found|exists?|supported|available)\\b"
            + "|\\b(?:invalid|unknown|no_such)_model\\b");
    /**
     * "Invalid model name passed in model=x", "unknown model 'x'", "The model `x` does not exist", "x is
     * not a valid model ID", "The requested model is not supported.", "The supported API model names are a
     * or b, but you passed x".
     */
    private static final Pattern WORDS = Pattern.compile(
            "(?:invalid|unknown|no such|unrecognized|unsupported) (?:the )?model(?: name| id|[:',]| ['\"`]|$)"
            + "|not a (?:valid|known|supported) model(?: name| id|[:',.]|$)"
            + "|model[^.]{0,80}(?:not exist|identifier is invalid)"
            + "|model (?:\\S{1,80} )?(?:is |was |could )?not (?:be )?found"
            + "|(?<!(?:for|with|by|of|on) (?:this |the )?)model (?:\\S{1,80} )?is not supported[.!]?$"
            + "|supported (?:\\w{1,20} )?model names are "
            + "|(?:not found|unable to access|could not find) (?:the )?model"
            + "|模型不存在");

    private UnknownModel() { }

    static boolean isIn(ErrorBody said, int status) {
        return switch (status) {
            case 403 -> said.says(CODE);
            case 404 -> said.says("model") || said.says(CODE);
            default -> status / 100 == 4 && (said.says(CODE) || said.says(WORDS));
        };
    }
}
