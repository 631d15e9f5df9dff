"""The guest book."""

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    """See above."""

    initial = True

    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.CharField(max_length=40)),
                ("text", models.CharField(max_length=200, validators=[django.core.validators.MinLengthValidator(5)])),
                ("written", models.DateTimeField(auto_now_add=True)),
            ],
            options={"ordering": ["-pk"]},
        ),
    ]
