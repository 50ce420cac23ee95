"""The providers' side of money in the stand-in city: Alipay, WeChat Pay, the non-tax platform, and citizens who pay."""
